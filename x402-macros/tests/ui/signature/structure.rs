//! A struct is no function.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
struct Weather {
    city: String,
}

fn main() {}
