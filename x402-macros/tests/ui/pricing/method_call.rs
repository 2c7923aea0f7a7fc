//! What is counted stands around the place.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = body.list.len(), ..=10 => "0.01 USDC"))]
async fn weather() {}

fn main() {}
