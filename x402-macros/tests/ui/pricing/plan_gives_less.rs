//! A plan gives at least what it costs.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", plans = [prepaid("10 USDC", credit = "9 USDC")])]
async fn weather() {}

fn main() {}
