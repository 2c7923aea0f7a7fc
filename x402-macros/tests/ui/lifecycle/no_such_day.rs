//! Days exist in the calendar.
use x402_runtime::paid;

#[paid(GET "/a", price = "0.01 USDC", deprecated = since("2026-13-01"))]
async fn a() {}

#[paid(GET "/b", price = "0.01 USDC", deprecated = since("2026-12-01", sunset = "2027-02-29"))]
async fn b() {}

#[paid(GET "/c", price = "0.01 USDC", deprecated = since("01.12.2026"))]
async fn c() {}

#[paid(GET "/d", price = "0.01 USDC", deprecated = since("2026-12-01T09:00:00"))]
async fn d() {}

fn main() {}
