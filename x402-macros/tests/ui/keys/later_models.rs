//! Keys of price models that do not exist are unknown.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", max = "1 USDC", free = 10)]
async fn weather() {}

fn main() {}
