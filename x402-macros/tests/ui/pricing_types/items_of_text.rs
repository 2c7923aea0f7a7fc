//! A text has no items.
use axum::Json;
use x402_runtime::paid;

#[derive(serde::Deserialize)]
struct Ask { quality: String, text: String, size: u32 }

#[paid(POST "/weather", price = tiers(by = items(body.text), ..=10 => "0.01 USDC"))]
async fn weather(Json(_): Json<Ask>) {}

fn main() {}
