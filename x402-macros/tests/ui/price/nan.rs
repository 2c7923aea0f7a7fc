//! Amounts are numbers.
use x402_runtime::paid;

#[paid(GET "/weather", price = "NaN USDC")]
async fn weather() {}

fn main() {}
