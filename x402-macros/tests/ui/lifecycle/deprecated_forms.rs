//! The day stands in `since(…)`.
use x402_runtime::paid;

#[paid(GET "/a", price = "0.01 USDC", deprecated)]
async fn a() {}

#[paid(GET "/b", price = "0.01 USDC", deprecated = "2026-12-01")]
async fn b() {}

#[paid(GET "/c", price = "0.01 USDC", deprecated(since = "2026-12-01"))]
async fn c() {}

#[paid(GET "/d", price = "0.01 USDC", deprecated = since())]
async fn d() {}

#[paid(GET "/e", price = "0.01 USDC", deprecated = since(sunset = "2027-03-01"))]
async fn e() {}

#[paid(GET "/f", price = "0.01 USDC", deprecated = since("2026-12-01", sunst = "2027-03-01"))]
async fn f() {}

#[paid(GET "/g", price = "0.01 USDC", sunset = "2027-03-01")]
async fn g() {}

#[paid(GET "/h", price = "0.01 USDC", deprecated = since("2026-12-01", "2027-03-01"))]
async fn h() {}

fn main() {}
