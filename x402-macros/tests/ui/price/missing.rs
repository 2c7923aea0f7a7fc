//! A paid function has a price.
use x402_runtime::paid;

#[paid(GET "/weather")]
async fn weather() {}

fn main() {}
