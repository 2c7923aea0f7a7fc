//! A dimension holds amounts or factors.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = query.q, "fast" => "0.01 USDC", "best" => "x2"))]
async fn weather() {}

fn main() {}
