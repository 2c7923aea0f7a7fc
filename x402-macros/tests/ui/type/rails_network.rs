//! The network of a rail exists.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", rails = ["bse:USDC"])]
async fn weather() {}

fn main() {}
