//! Prices have no sign.
use x402_runtime::paid;

#[paid(GET "/weather", price = "-1 USDC")]
async fn weather() {}

fn main() {}
