//! The route has no key.
use x402_runtime::paid;

#[paid(path = "/weather", method = "GET", price = "0.01 USDC")]
async fn weather() {}

fn main() {}
