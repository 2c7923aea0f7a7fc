//! The least is not more than the most.
use x402_runtime::paid;

#[paid(GET "/weather", price = dynamic(quote, max = "1 USDC", min = "2 USDC"))]
async fn weather() {}

fn main() {}
