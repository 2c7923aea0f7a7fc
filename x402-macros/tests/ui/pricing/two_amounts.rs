//! A product has one dimension of amounts.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(multiply, by = query.q, "fast" => "0.01 USDC", by = query.s, "a" => "0.01 USDC"))]
async fn weather() {}

fn main() {}
