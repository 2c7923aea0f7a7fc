//! Only arrays have items.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = items(query.x), ..=10 => "0.01 USDC"))]
async fn weather() {}

fn main() {}
