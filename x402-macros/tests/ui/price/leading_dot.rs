//! A digit stands before the dot.
use x402_runtime::paid;

#[paid(GET "/weather", price = ".01 USDC")]
async fn weather() {}

fn main() {}
