//! Amounts have no leading zeros.
use x402_runtime::paid;

#[paid(GET "/weather", price = "00.1 USDC")]
async fn weather() {}

fn main() {}
