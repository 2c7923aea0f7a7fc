//! Amounts have at most one dot.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.0.1 USDC")]
async fn weather() {}

fn main() {}
