//! A function is one endpoint.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
#[paid(GET "/climate", price = "0.02 USDC")]
async fn weather() {}

fn main() {}
