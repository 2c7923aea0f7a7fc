//! Rust has an attribute of that name, for callers in Rust.
use x402_runtime::paid;

#[paid(GET "/a", price = "0.01 USDC", deprecated = since("1.2.0"))]
async fn a() {}

#[paid(GET "/b", price = "0.01 USDC", deprecated = since("2026-12-01", note = "ask for new weather"))]
async fn b() {}

fn main() {}
