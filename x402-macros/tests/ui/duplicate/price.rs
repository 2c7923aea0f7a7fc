//! A price is given once.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", price = "0.02 USDC")]
async fn weather() {}

fn main() {}
