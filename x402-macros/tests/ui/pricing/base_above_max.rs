//! The base is part of the ceiling.
use x402_runtime::paid;

#[paid(GET "/weather", price = upto("0.02 USDC", base = "0.03 USDC", units(tokens = "0.01 USDC")))]
async fn weather() {}

fn main() {}
