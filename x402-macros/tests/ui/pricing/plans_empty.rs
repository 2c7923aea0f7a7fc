//! A list of plans is not empty.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", plans = [])]
async fn weather() {}

fn main() {}
