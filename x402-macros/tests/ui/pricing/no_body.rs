//! Fields of a body need a type.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = body.quality, "fast" => "0.01 USDC"))]
async fn weather() {}

fn main() {}
