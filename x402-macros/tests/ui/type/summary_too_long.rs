//! A summary fits one line of a list.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", summary = "Weather Weather Weather Weather Weather Weather Weather Weather Weather Weather Weather Weather Weather Weather Weather Weather .")]
async fn weather() {}

fn main() {}
