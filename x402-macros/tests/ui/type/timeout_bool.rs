//! A timeout is a number.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", timeout = false)]
async fn weather() {}

fn main() {}
