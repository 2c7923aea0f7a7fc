//! All amounts of a metered price are in one unit.
use x402_runtime::paid;

#[paid(GET "/weather", price = upto("0.02 USD", units(tokens = "0.01 USDC")))]
async fn weather() {}

fn main() {}
