//! A product that no token can pay.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(multiply, by = query.q, "fast" => "0.000001 USDC", by = query.s, "a" => "x2", "b" => "x0.5"))]
async fn weather() {}

fn main() {}
