//! Tags are a list.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", tags = "weather")]
async fn weather() {}

fn main() {}
