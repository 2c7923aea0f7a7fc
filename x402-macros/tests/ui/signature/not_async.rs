//! A paid function is async.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
fn weather() {}

fn main() {}
