//! Amounts have at most 38 digits.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.00000000000000000000000000000000000001 USDC")]
async fn weather() {}

fn main() {}
