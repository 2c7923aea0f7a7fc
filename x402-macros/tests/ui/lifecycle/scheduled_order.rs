//! Days exist, and come in order.
use x402_runtime::paid;

#[paid(GET "/a", price = "0.01 USDC", scheduled = [price("0.02 USDC", from = "2027-02-30")])]
async fn a() {}

#[paid(GET "/b", price = "0.01 USDC", scheduled = [price("0.02 USDC", from = "2027-01-15"), price("0.03 USDC", from = "2027-01-14")])]
async fn b() {}

#[paid(GET "/c", price = "0.01 USDC", scheduled = [price("0.02 USDC", from = "2027-01-15"), price("0.02 USDC", from = "2027-01-16")])]
async fn c() {}

#[paid(GET "/d", price = "0.01 USDC", scheduled = [price("0.02 USDC", from = "2027-01-15", announced = "2027-01-15T00:00:00Z")])]
async fn d() {}

#[paid(GET "/e", price = "0.01 USDC", scheduled = [price("0.02 USDC", from = "2027-03-01")], deprecated = since("2026-12-01", sunset = "2027-03-01"))]
async fn e() {}

#[paid(GET "/f", price = "0.01 USDC", scheduled = [price("0.02 USDC", from = "2027-01-15", reason = "")])]
async fn f() {}

#[paid(GET "/g", price = "0.01 USDC", scheduled = [price("0.02 USDC", from = "2027-01-15"), price("0.03 USDC", from = "2027-01-15T23:59:59Z")])]
async fn g() {}

fn main() {}
