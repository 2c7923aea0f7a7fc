//! An endpoint has a rail.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", rails = [])]
async fn weather() {}

fn main() {}
