//! Each plan has an id of its own.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", plans = [prepaid("10 USDC"), prepaid("10 USDC")])]
async fn weather() {}

fn main() {}
