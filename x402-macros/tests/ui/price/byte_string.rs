//! A byte string is no text.
use x402_runtime::paid;

#[paid(GET "/weather", price = b"0.01 USDC")]
async fn weather() {}

fn main() {}
