//! A plan is in the unit of the price.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", plans = [prepaid("10 EURC")])]
async fn weather() {}

fn main() {}
