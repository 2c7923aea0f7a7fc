//! A path is a text.
use x402_runtime::paid;

#[paid(GET 1, price = "0.01 USDC")]
async fn weather() {}

fn main() {}
