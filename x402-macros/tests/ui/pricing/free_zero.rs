//! Nothing free is no allowance.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", free = "0/day per payer")]
async fn weather() {}

fn main() {}
