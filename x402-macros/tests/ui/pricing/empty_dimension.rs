//! A selector is followed by what each value costs.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = query.q))]
async fn weather() {}

fn main() {}
