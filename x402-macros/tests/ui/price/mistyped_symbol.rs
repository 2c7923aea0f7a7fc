//! A symbol near a well-known one is a slip.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 UDSC")]
async fn weather() {}

fn main() {}
