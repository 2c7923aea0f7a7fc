//! A price is fixed when the macro runs, which is before constants have values.
use x402_runtime::paid;

const PRICE: &str = "0.01 USDC";

#[paid(GET "/weather", price = PRICE)]
async fn weather() {}

fn main() {}
