//! A list of units is not empty.
use x402_runtime::paid;

#[paid(GET "/weather", price = upto("0.02 USDC", units()))]
async fn weather() {}

fn main() {}
