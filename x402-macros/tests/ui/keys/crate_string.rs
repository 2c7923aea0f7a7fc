//! The path of the runtime is a path.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", crate = "x402_runtime")]
async fn weather() {}

fn main() {}
