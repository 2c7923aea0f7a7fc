//! Numbers without a unit are no prices.
use x402_runtime::paid;

#[paid(GET "/weather", price = 10_000)]
async fn weather() {}

fn main() {}
