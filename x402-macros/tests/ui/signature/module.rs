//! A module is no function.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
mod weather {}

fn main() {}
