//! An id is not empty.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", id = "")]
async fn weather() {}

fn main() {}
