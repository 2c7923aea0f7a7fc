//! Unknown methods are answered with the list of methods.
use x402_runtime::paid;

#[paid(BREW "/coffee", price = "0.01 USDC")]
async fn weather() {}

fn main() {}
