//! A single value cannot hold two captures.
use axum::extract::Path;
use x402_runtime::paid;

#[paid(GET "/weather/{country}/{city}", price = "0.01 USDC")]
async fn weather(_: Path<String>) {}

fn main() {}
