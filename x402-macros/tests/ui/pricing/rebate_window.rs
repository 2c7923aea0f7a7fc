//! A window is a time.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", rebate = volume("a month", 10 => "x0.5"))]
async fn weather() {}

fn main() {}
