//! Arguments are not conditional.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
async fn weather(#[cfg(unix)] _: axum::http::Uri) {}

fn main() {}
