//! Nothing follows a wildcard.
use x402_runtime::paid;

#[paid(GET "/{*rest}/weather", price = "0.01 USDC")]
async fn weather() {}

fn main() {}
