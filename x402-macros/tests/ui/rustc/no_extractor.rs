//! Mounting says which condition a handler breaks.
use x402_runtime::handler::PaidHandler;
use x402_runtime::paid;

struct City;

#[paid(GET "/weather", price = "0.01 USDC")]
async fn weather(_: City) {}

fn mount<T>(_handler: impl PaidHandler<T, ()>) {}

fn main() {
    mount(weather);
}
