//! A call that is not awaited is reported.

#![deny(unused_must_use)]
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
async fn weather() {}

fn main() {
    weather();
}
