//! A factor is a decimal.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(multiply, by = query.q, "fast" => "0.01 USDC", by = query.s, "a" => "x1,5"))]
async fn weather() {}

fn main() {}
