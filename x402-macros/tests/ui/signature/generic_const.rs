//! A paid function has no const parameters.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
async fn weather<const N: usize>() {}

fn main() {}
