//! A ceiling that no token can pay.
use x402_runtime::paid;

#[paid(GET "/weather", price = upto("0.0000001 USDC", units(tokens = "0.00000001 USDC")))]
async fn weather() {}

fn main() {}
