//! A trait is no function.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
trait Weather {}

fn main() {}
