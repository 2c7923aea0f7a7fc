//! A metered price meters something.
use x402_runtime::paid;

#[paid(GET "/weather", price = upto("0.02 USDC"))]
async fn weather() {}

fn main() {}
