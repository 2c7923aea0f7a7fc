//! Kinds of prices are known words.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiered(by = query.q, "a" => "0.01 USDC"))]
async fn weather() {}

fn main() {}
