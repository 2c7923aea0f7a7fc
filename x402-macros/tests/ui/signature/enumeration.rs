//! An enum is no function.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
pub enum Weather {}

fn main() {}
