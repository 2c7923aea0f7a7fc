//! A tag is ASCII.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", tags = ["météo"])]
async fn weather() {}

fn main() {}
