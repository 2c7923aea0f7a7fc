//! The macro reads no environment.
use x402_runtime::paid;

#[paid(GET "/weather", price = env!("PRICE"))]
async fn weather() {}

fn main() {}
