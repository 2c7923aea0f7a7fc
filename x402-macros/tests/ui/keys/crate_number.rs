//! The path of the runtime is no number.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", crate = 1)]
async fn weather() {}

fn main() {}
