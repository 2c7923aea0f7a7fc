//! Wildcards are written in braces.
use x402_runtime::paid;

#[paid(GET "/files/*rest", price = "0.01 USDC")]
async fn weather() {}

fn main() {}
