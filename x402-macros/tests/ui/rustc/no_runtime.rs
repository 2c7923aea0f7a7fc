//! A wrong path of the runtime is reported where it is.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", crate = nowhere)]
async fn weather() {}

fn main() {}
