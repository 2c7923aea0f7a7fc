//! A header name is a string.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = header.x_size, ..=10 => "0.01 USDC"))]
async fn weather() {}

fn main() {}
