//! The key is in the plural.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", payment_id = "required")]
async fn weather() {}

fn main() {}
