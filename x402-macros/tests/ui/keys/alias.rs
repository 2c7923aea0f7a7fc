//! Words of other frameworks lead to ours.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", network = "base", content_type = "text/plain", payTo = "0x0")]
async fn weather() {}

fn main() {}
