//! A pair cannot be filled by one capture.
use axum::extract::Path;
use x402_runtime::paid;

#[paid(GET "/weather/{city}", price = "0.01 USDC")]
async fn weather(_: Path<(String, u8)>) {}

fn main() {}
