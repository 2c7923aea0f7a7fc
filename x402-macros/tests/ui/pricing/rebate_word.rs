//! A rebate is made by volume.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", rebate = "50%")]
async fn weather() {}

fn main() {}
