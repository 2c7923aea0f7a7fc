//! A mistyped maximum is not missing as well.
use x402_runtime::paid;

#[paid(GET "/weather", price = dynamic(quote, mx = "1 USDC"))]
async fn weather() {}

fn main() {}
