//! A paid function has Rust's calling convention.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
async extern "C" fn weather() {}

fn main() {}
