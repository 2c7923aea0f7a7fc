//! A path is a literal.
use x402_runtime::paid;

#[paid(GET PATH, price = "0.01 USDC")]
async fn weather() {}

fn main() {}
