//! A paid function has no object to be called on.
use x402_runtime::paid;

struct Weather;

impl Weather {
    #[paid(GET "/weather", price = "0.01 USDC")]
    async fn weather(&self) {}
}

fn main() {}
