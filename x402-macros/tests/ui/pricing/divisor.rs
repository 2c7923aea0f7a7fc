//! Counts are divided by whole numbers.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = chars(query.q) / 0, ..=10 => "0.01 USDC"))]
async fn weather() {}

fn main() {}
