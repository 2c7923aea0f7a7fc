//! A tier that no token can pay.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = query.q, "fast" => "0.0000001 USDC", "best" => "0.01 USDC"))]
async fn weather() {}

fn main() {}
