//! A metered price has a ceiling.
use x402_runtime::paid;

#[paid(GET "/weather", price = upto(units(tokens = "0.000002 USDC")))]
async fn weather() {}

fn main() {}
