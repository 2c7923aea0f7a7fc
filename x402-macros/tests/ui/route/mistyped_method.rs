//! An unknown method near a known one is a slip.
use x402_runtime::paid;

#[paid(PSOT "/weather", price = "0.01 USDC")]
async fn weather() {}

fn main() {}
