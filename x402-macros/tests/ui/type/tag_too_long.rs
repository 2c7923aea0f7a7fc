//! A tag is short.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", tags = ["weather", "climate climate climate climate climate "])]
async fn weather() {}

fn main() {}
