//! Headroom is above the estimate, not below.
use x402_runtime::paid;

#[paid(GET "/weather", price = upto("0.02 USDC", headroom = "0.9", units(tokens = "0.01 USDC")))]
async fn weather() {}

fn main() {}
