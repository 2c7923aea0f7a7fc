//! A band begins where the one before ends.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = query.size, ..=10 => "0.01 USDC", 10..=20 => "0.02 USDC", 20.. => "1 USDC"))]
async fn weather() {}

fn main() {}
