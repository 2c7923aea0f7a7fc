//! An id is a text.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", id = 7)]
async fn weather() {}

fn main() {}
