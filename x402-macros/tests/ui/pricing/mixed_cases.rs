//! Values of one dimension are of one kind.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = query.q, "fast" => "0.01 USDC", 2 => "0.02 USDC", ..=3 => "1 USDC"))]
async fn weather() {}

fn main() {}
