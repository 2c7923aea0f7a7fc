//! There are at most five tags.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", tags = ["a", "b", "c", "d", "e", "f"])]
async fn weather() {}

fn main() {}
