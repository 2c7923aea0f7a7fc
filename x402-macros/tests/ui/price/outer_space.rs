//! No blanks stand around a price.
use x402_runtime::paid;

#[paid(GET "/weather", price = " 0.01 USDC")]
async fn weather() {}

fn main() {}
