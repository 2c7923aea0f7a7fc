//! A band with the same end is empty.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = query.size, ..=5 => "0.01 USDC", ..=5.0 => "0.02 USDC"))]
async fn weather() {}

fn main() {}
