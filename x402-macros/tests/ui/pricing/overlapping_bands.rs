//! Bands rise.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = query.size, ..=10 => "0.01 USDC", ..=5 => "0.02 USDC"))]
async fn weather() {}

fn main() {}
