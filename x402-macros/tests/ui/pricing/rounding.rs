//! Sums are rounded up or down.
use x402_runtime::paid;

#[paid(GET "/weather", price = upto("0.02 USDC", rounding = nearest, units(tokens = "0.01 USDC")))]
async fn weather() {}

fn main() {}
