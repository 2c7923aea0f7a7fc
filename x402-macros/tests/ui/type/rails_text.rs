//! Rails are a list.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", rails = "base:USDC")]
async fn weather() {}

fn main() {}
