//! Free calls are written in one of two ways.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", free = "100 per payer")]
async fn weather() {}

fn main() {}
