//! USDC has 6 decimals, and nothing is rounded.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.0000001 USDC")]
async fn weather() {}

fn main() {}
