//! A path is not empty.
use x402_runtime::paid;

#[paid(GET "", price = "0.01 USDC")]
async fn weather() {}

fn main() {}
