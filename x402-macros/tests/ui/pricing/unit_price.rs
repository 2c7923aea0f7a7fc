//! A unit is a name and a price.
use x402_runtime::paid;

#[paid(GET "/weather", price = upto("0.02 USDC", units("0.01 USDC", tokens = 1)))]
async fn weather() {}

fn main() {}
