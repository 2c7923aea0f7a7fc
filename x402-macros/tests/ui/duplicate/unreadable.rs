//! A value that cannot be read is still given.
use x402_runtime::paid;

#[paid(GET "/weather", price = 1, price = "0.01 USDC")]
async fn weather() {}

fn main() {}
