//! There are three settings.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", payment_ids = "sometimes")]
async fn weather() {}

fn main() {}
