//! Calls or money, not both.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", rebate = volume("30d", 10 => "x0.5", "1 USDC" => "x0.25"))]
async fn weather() {}

fn main() {}
