//! A price in one token cannot be paid with another.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", rails = ["base:USDC", "celo:USDT"])]
async fn weather() {}

fn main() {}
