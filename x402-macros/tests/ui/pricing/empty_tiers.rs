//! Tiers are not empty.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers())]
async fn weather() {}

fn main() {}
