//! A value that stands twice is out of reach the second time.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = query.q, "fast" => "0.01 USDC", "fast" => "0.02 USDC"))]
async fn weather() {}

fn main() {}
