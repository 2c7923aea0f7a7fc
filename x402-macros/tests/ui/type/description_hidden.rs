//! A description hides nothing.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", description = "gnp.\u{202e}exe")]
async fn weather() {}

fn main() {}
