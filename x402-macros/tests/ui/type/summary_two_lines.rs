//! A summary is one line.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", summary = "one\ntwo")]
async fn weather() {}

fn main() {}
