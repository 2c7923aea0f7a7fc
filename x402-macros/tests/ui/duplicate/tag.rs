//! A tag is given once.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", tags = ["weather", "Weather"])]
async fn weather() {}

fn main() {}
