//! A route has a method.
use x402_runtime::paid;

#[paid("/weather", price = "0.01 USDC")]
async fn weather() {}

fn main() {}
