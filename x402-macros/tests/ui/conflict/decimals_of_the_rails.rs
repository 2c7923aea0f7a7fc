//! Some rail can pay the price exactly.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.0000001 USD", rails = ["base:USDC"])]
async fn weather() {}

fn main() {}
