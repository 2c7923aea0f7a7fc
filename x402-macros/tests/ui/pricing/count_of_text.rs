//! A count is no text.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = bytes(query.q), "fast" => "0.01 USDC"))]
async fn weather() {}

fn main() {}
