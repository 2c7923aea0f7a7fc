//! What belongs to a price model stands inside of it.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", max = "1 USDC", bands = 10)]
async fn weather() {}

fn main() {}
