//! The checksum of an address holds.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", pay_to = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02931")]
async fn weather() {}

fn main() {}
