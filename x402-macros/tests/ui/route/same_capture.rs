//! A capture has a name of its own.
use x402_runtime::paid;

#[paid(GET "/{city}/{city}", price = "0.01 USDC")]
async fn weather() {}

fn main() {}
