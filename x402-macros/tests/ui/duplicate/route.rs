//! A function is one route.
use x402_runtime::paid;

#[paid(GET "/weather", POST "/weather", price = "0.01 USDC")]
async fn weather() {}

fn main() {}
