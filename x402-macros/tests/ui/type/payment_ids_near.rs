//! A setting near a known one is a slip.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", payment_ids = "require")]
async fn weather() {}

fn main() {}
