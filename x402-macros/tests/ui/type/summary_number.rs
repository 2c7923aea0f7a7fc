//! A summary is a text.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", summary = 1)]
async fn weather() {}

fn main() {}
