//! Settings are written in small letters.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", payment_ids = "Off")]
async fn weather() {}

fn main() {}
