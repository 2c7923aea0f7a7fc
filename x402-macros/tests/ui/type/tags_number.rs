//! Every tag is a text.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", tags = ["weather", 1, climate])]
async fn weather() {}

fn main() {}
