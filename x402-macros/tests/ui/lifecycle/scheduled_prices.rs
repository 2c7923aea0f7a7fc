//! A scheduled price keeps the rules of all prices, and the unit.
use x402_runtime::paid;

#[paid(GET "/a", price = "0.01 USDC", scheduled = [price("0.0000001 USDC", from = "2027-01-15")])]
async fn a() {}

#[paid(GET "/b", price = "0.01 USDC", scheduled = [price("0.02 EURC", from = "2027-01-15")])]
async fn b() {}

#[paid(GET "/c", price = "0.01 USDC", scheduled = [price("0.02", from = "2027-01-15")])]
async fn c() {}

#[paid(GET "/d", price = "0.01 USDC", scheduled = [price("0.010 USDC", from = "2027-01-15")])]
async fn d() {}

#[paid(GET "/e", price = "0.01 USDC", scheduled = [price(tiers(by = query.a, "x" => "0.01 EURC", "y" => "0.02 EURC"), from = "2027-01-15")])]
async fn e() {}

fn main() {}
