//! Each unit has a name of its own.
use x402_runtime::paid;

#[paid(GET "/weather", price = upto("0.02 USDC", units(tokens = "0.01 USDC", tokens = "0.02 USDC")))]
async fn weather() {}

fn main() {}
