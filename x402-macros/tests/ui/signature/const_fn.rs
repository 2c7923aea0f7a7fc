//! A paid function is not const.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
const async fn weather() {}

fn main() {}
