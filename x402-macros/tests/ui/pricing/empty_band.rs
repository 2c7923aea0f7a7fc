//! Counts are whole, so a band may hold none.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = bytes(body), ..=5 => "0.01 USDC", ..=5.5 => "0.02 USDC"))]
async fn weather() {}

fn main() {}
