//! The route is written first.
use x402_runtime::paid;

#[paid(price = "0.01 USDC", GET "/weather")]
async fn weather() {}

fn main() {}
