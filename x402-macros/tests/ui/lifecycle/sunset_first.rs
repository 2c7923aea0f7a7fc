//! An endpoint is deprecated first, and then goes away.
use x402_runtime::paid;

#[paid(GET "/a", price = "0.01 USDC", deprecated = since("2027-03-01", sunset = "2026-12-01"))]
async fn a() {}

#[paid(GET "/b", price = "0.01 USDC", deprecated = since("2027-03-01", sunset = "2027-03-01T00:00:00Z"))]
async fn b() {}

fn main() {}
