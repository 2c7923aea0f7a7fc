//! TRACE cannot be sold.
use x402_runtime::paid;

#[paid(TRACE "/weather", price = "0.01 USDC")]
async fn weather() {}

fn main() {}
