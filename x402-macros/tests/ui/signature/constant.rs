//! A constant is no function.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
const WEATHER: u8 = 1;

fn main() {}
