//! A plan has known entries.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", plans = [prepaid("10 USDC", expire = "1d")])]
async fn weather() {}

fn main() {}
