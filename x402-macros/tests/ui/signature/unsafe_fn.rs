//! A paid function is not unsafe.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
async unsafe fn weather() {}

fn main() {}
