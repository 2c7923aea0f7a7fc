//! A handler serves one kind of price.
use x402_runtime::paid;

use x402_runtime::handler::{QuoteRequest, QuoteResult};

async fn quote(_: QuoteRequest) -> QuoteResult {
    todo!()
}

#[paid(GET "/a", price = "0.01 USDC", scheduled = [price(upto("0.02 USDC", units(words = "0.001 USDC")), from = "2027-01-15")])]
async fn a() {}

#[paid(POST "/b", price = upto("0.02 USDC", units(words = "0.001 USDC")), scheduled = [price(upto("0.02 USDC", units(pages = "0.001 USDC")), from = "2027-01-15")])]
async fn b() {}

#[paid(POST "/c", price = dynamic(quote, max = "0.10 USDC"), scheduled = [price(dynamic(other, max = "0.20 USDC"), from = "2027-01-15")])]
async fn c() {}

#[paid(POST "/d", price = dynamic(quote, max = "0.10 USDC"), scheduled = [price("0.05 USDC", from = "2027-01-15")])]
async fn d() {}

fn main() {}
