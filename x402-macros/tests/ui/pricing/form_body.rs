//! Prices look into JSON.
use x402_runtime::paid;

#[paid(POST "/weather", price = tiers(by = body.quality, "fast" => "0.01 USDC"))]
async fn weather(_: axum::Form<Vec<(String, String)>>) {}

fn main() {}
