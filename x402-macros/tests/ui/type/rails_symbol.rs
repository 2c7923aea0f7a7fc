//! A rail has a symbol.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", rails = ["base"])]
async fn weather() {}

fn main() {}
