//! A payment needs a while to settle.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", timeout = 1)]
async fn weather() {}

fn main() {}
