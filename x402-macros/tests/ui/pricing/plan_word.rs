//! A plan is prepaid.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", plans = ["10 USDC"])]
async fn weather() {}

fn main() {}
