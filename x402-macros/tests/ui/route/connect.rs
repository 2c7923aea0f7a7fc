//! CONNECT cannot be sold.
use x402_runtime::paid;

#[paid(CONNECT "/weather", price = "0.01 USDC")]
async fn weather() {}

fn main() {}
