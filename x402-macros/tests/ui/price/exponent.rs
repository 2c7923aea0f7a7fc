//! Amounts have no exponent.
use x402_runtime::paid;

#[paid(GET "/weather", price = "1e-2 USDC")]
async fn weather() {}

fn main() {}
