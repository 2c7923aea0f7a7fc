//! A metered price has no rebate.
use x402_runtime::paid;

#[paid(GET "/weather", price = upto("0.02 USDC", units(tokens = "0.01 USDC")), rebate = volume("30d", 10 => "x0.5"))]
async fn weather() {}

fn main() {}
