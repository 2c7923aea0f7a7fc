//! A value has a key.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", "weather")]
async fn weather() {}

fn main() {}
