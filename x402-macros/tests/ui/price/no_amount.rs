//! A price has an amount.
use x402_runtime::paid;

#[paid(GET "/weather", price = "USDC")]
async fn weather() {}

fn main() {}
