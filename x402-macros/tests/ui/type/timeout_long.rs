//! A signed payment does not stay valid for a day.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", timeout = "86400s")]
async fn weather() {}

fn main() {}
