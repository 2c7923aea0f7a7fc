//! Entries are separated by commas.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC" id = "weather")]
async fn weather() {}

fn main() {}
