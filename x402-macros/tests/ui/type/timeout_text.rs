//! A timeout in words is a number of seconds.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", timeout = "2 minutes")]
async fn weather() {}

fn main() {}
