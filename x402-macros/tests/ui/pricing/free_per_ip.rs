//! Network addresses are no identity.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", free = "100/day per ip")]
async fn weather() {}

fn main() {}
