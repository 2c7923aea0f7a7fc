//! Tiers are looked up before the call.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = answer.size, ..=10 => "0.01 USDC", .. => "0.02 USDC"))]
async fn weather() {}

fn main() {}
