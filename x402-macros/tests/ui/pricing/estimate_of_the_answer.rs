//! An estimate is made before the call.
use x402_runtime::paid;

#[paid(GET "/weather", price = upto("0.02 USDC", units(tokens = unit("0.01 USDC", per = 1, estimate = answer.tokens))))]
async fn weather() {}

fn main() {}
