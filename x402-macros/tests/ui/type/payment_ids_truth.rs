//! A setting is a string.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", payment_ids = true)]
async fn weather() {}

fn main() {}
