//! A capture is a whole segment.
use x402_runtime::paid;

#[paid(GET "/{city}.json", price = "0.01 USDC")]
async fn weather() {}

fn main() {}
