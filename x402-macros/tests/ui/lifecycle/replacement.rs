//! A replacement is an endpoint or a URL.
use x402_runtime::paid;

#[paid(GET "/a", price = "0.01 USDC", deprecated = since("2026-12-01", replacement = "the new one"))]
async fn a() {}

#[paid(GET "/b", price = "0.01 USDC", deprecated = since("2026-12-01", replacement = "https://"))]
async fn b() {}

#[paid(GET "/c", price = "0.01 USDC", deprecated = since("2026-12-01", replacement = weather_v2))]
async fn c() {}

fn main() {}
