//! An impl block is no function.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
impl Weather {
    fn weather() {}
}

struct Weather;

fn main() {}
