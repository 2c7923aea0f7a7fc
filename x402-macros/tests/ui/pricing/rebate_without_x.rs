//! A rebate is a factor.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", rebate = volume("30d", 10 => "0.5"))]
async fn weather() {}

fn main() {}
