//! A forgotten `async` does not break what uses the function elsewhere.

use x402_runtime::handler::PaidHandler;
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
fn weather() -> String {
    String::new()
}

fn mount<T>(_handler: impl PaidHandler<T, ()>) {}

fn main() {
    mount(weather);
    drop(async { weather().await });
}
