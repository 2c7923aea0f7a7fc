//! Bands are not compared with a text.
use axum::Json;
use x402_runtime::paid;

#[derive(serde::Deserialize)]
struct Ask { quality: String, text: String, size: u32 }

#[paid(POST "/weather", price = tiers(by = body.text, ..=10 => "0.01 USDC"))]
async fn weather(Json(_): Json<Ask>) {}

fn main() {}
