//! A dynamic price names its function.
use x402_runtime::paid;

#[paid(GET "/weather", price = dynamic(max = "1 USDC"))]
async fn weather() {}

fn main() {}
