//! A default is one of the values.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = query.q or "slow", "fast" => "0.01 USDC"))]
async fn weather() {}

fn main() {}
