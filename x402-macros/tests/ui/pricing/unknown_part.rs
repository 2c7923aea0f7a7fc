//! Parts of a request are known words.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = boby.quality, "a" => "0.01 USDC", "b" => "0.02 USDC"))]
async fn weather() {}

fn main() {}
