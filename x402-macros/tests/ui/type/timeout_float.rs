//! A timeout is a whole number.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", timeout = 1.5)]
async fn weather() {}

fn main() {}
