//! A capture ends.
use x402_runtime::paid;

#[paid(GET "/{city", price = "0.01 USDC")]
async fn weather() {}

fn main() {}
