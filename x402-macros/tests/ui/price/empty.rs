//! A price is not empty.
use x402_runtime::paid;

#[paid(GET "/weather", price = "")]
async fn weather() {}

fn main() {}
