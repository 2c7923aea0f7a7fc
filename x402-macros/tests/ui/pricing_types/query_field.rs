//! A query field is one of its type.
use x402_runtime::paid;

#[derive(serde::Deserialize)]
struct Ask { quality: String, text: String, size: u32 }

#[paid(GET "/weather", price = tiers(by = query.qualty, "fast" => "0.01 USDC"))]
async fn weather(_: axum::extract::Query<Ask>) {}

fn main() {}
