//! The example is a request.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", rebate = volume("1d", 5 => "x0.5"), probe = "q=fast")]
async fn weather() {}

fn main() {}
