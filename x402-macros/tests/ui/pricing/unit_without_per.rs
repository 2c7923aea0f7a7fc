//! A unit says how many its price is for.
use x402_runtime::paid;

#[paid(GET "/weather", price = upto("0.02 USDC", units(tokens = unit("0.002 USDC", meter = answer.tokens))))]
async fn weather() {}

fn main() {}
