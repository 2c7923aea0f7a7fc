//! What is scheduled is a list of prices, each with its day.
use x402_runtime::paid;

#[paid(GET "/a", price = "0.01 USDC", scheduled = price("0.02 USDC", from = "2027-01-15"))]
async fn a() {}

#[paid(GET "/b", price = "0.01 USDC", scheduled = [])]
async fn b() {}

#[paid(GET "/c", price = "0.01 USDC", scheduled = ["0.02 USDC"])]
async fn c() {}

#[paid(GET "/d", price = "0.01 USDC", scheduled = [price(from = "2027-01-15")])]
async fn d() {}

#[paid(GET "/e", price = "0.01 USDC", scheduled = [price("0.02 USDC")])]
async fn e() {}

#[paid(GET "/f", price = "0.01 USDC", scheduled = [price("0.02 USDC", form = "2027-01-15")])]
async fn f() {}

#[paid(GET "/g", price = "0.01 USDC", scheduled(price = "0.02 USDC", from = "2027-01-15"))]
async fn g() {}

#[paid(GET "/h", price = "0.01 USDC", schedule = [price("0.02 USDC", from = "2027-01-15")])]
async fn h() {}

#[paid(GET "/i", price = "0.01 USDC", scheduled = [price("0.02 USDC", from = 2027)])]
async fn i() {}

fn main() {}
