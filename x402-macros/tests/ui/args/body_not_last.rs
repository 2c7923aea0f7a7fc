//! What takes the body stands last.
use axum::Json;
use axum::extract::Path;
use x402_runtime::paid;

#[paid(POST "/weather/{city}", price = "0.01 USDC")]
async fn weather(_: Json<u8>, _: String, _: Path<String>) {}

fn main() {}
