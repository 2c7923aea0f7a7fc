//! Steps rise.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", rebate = volume("30d", 10 => "x0.5", 10 => "x0.25"))]
async fn weather() {}

fn main() {}
