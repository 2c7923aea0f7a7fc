//! Methods are written in capitals.
use x402_runtime::paid;

#[paid(get "/weather", price = "0.01 USDC")]
async fn weather() {}

fn main() {}
