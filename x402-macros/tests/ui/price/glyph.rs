//! Units are words.
use x402_runtime::paid;

#[paid(GET "/weather", price = "$0.01")]
async fn weather() {}

fn main() {}
