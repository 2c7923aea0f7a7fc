//! What costs nothing is not paid.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.00 USDC")]
async fn weather() {}

fn main() {}
