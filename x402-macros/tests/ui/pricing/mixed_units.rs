//! All amounts are in one unit.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = query.q, "fast" => "0.01 USDC", "best" => "0.02 EURC"))]
async fn weather() {}

fn main() {}
