//! A media type has two parts.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", mime_type = "json")]
async fn weather() {}

fn main() {}
