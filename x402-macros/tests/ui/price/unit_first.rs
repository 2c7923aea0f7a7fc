//! The amount stands before the unit.
use x402_runtime::paid;

#[paid(GET "/weather", price = "USDC 0.01")]
async fn weather() {}

fn main() {}
