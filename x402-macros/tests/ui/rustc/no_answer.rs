//! The answer must be one of axum.
use x402_runtime::paid;

struct Weather;

#[paid(GET "/weather", price = "0.01 USDC")]
async fn weather() -> Weather {
    Weather
}

fn main() {}
