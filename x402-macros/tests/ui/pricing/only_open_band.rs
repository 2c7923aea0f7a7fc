//! A band for everything is a flat price.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = query.size, .. => "0.01 USDC"))]
async fn weather() {}

fn main() {}
