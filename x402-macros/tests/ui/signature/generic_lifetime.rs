//! A paid function has no lifetime parameters.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
async fn weather<'a>() -> &'a str {
    ""
}

fn main() {}
