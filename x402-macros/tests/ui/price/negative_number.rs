//! Negative numbers are no prices.
use x402_runtime::paid;

#[paid(GET "/weather", price = -1)]
async fn weather() {}

fn main() {}
