//! All mistakes are reported at once, each where it is.
use x402_runtime::paid;

#[paid(
    get "/weather/:city",
    prise = "0.01 USDC",
    tags = "weather",
    timeout = 1.5,
    pay_to = "0x0",
)]
fn weather(city: &str, Json(body): Json<u8>, unit: u8) {}

fn main() {}
