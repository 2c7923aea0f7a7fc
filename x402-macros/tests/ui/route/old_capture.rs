//! Captures are written in braces.
use x402_runtime::paid;

#[paid(GET "/weather/:city", price = "0.01 USDC")]
async fn weather() {}

fn main() {}
