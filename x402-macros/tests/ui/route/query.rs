//! The query is no part of the path.
use x402_runtime::paid;

#[paid(GET "/weather?city={city}", price = "0.01 USDC")]
async fn weather() {}

fn main() {}
