//! There is no rest of all texts.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = query.q, "fast" => "0.01 USDC", _ => "0.02 USDC"))]
async fn weather() {}

fn main() {}
