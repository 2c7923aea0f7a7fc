//! An unknown key near a known one is a slip.
use x402_runtime::paid;

#[paid(GET "/weather", prise = "0.01 USDC")]
async fn weather() {}

fn main() {}
