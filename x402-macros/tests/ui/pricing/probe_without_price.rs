//! The example has a price.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = query.q, "fast" => "0.01 USDC"), probe = r#"{"query": {"q": "slow"}}"#)]
async fn weather() {}

fn main() {}
