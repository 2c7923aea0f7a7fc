//! A key has a value.
use x402_runtime::paid;

#[paid(GET "/weather", price)]
async fn weather() {}

fn main() {}
