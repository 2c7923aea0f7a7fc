//! Exactly one space stands between amount and unit.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01  USDC")]
async fn weather() {}

fn main() {}
