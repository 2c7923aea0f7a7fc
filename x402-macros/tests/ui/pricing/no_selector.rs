//! Entries follow a selector.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers("fast" => "0.01 USDC"))]
async fn weather() {}

fn main() {}
