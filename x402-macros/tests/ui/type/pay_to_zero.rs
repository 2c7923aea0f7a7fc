//! Nobody owns the zero address.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", pay_to = "0x0000000000000000000000000000000000000000")]
async fn weather() {}

fn main() {}
