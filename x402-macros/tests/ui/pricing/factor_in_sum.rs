//! A sum takes no factors.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(add, by = query.q, "fast" => "0.01 USDC", by = query.s, "a" => "x2"))]
async fn weather() {}

fn main() {}
