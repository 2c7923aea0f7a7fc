//! A receiving address is an address.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", pay_to = "vitalik.eth")]
async fn weather() {}

fn main() {}
