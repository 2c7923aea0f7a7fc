//! A rail is given once, by whatever name.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", rails = ["base:USDC", "eip155:8453:usdc"])]
async fn weather() {}

fn main() {}
