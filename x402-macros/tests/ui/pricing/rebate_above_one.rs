//! A rebate does not raise the price.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", rebate = volume("30d", 10 => "x1.5"))]
async fn weather() {}

fn main() {}
