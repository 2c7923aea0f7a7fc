//! A rebate that no token can pay.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.000001 USDC", rebate = volume("30d", 10 => "x0.5"))]
async fn weather() {}

fn main() {}
