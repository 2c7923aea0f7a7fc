//! A path has no dots to resolve.
use x402_runtime::paid;

#[paid(GET "/a/../b", price = "0.01 USDC")]
async fn weather() {}

fn main() {}
