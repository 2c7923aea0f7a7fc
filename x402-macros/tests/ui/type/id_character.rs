//! An id is one word.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", id = "new weather")]
async fn weather() {}

fn main() {}
