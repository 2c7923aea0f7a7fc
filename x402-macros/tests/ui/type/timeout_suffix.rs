//! A timeout has no type suffix.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", timeout = 90u64)]
async fn weather() {}

fn main() {}
