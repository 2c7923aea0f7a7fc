//! Thousands are not separated.
use x402_runtime::paid;

#[paid(GET "/weather", price = "1,000.50 USDC")]
async fn weather() {}

fn main() {}
