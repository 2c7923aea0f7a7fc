//! A function name that is no id needs one beside it.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
async fn température() {}

fn main() {}
