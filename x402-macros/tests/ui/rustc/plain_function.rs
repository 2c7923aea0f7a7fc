//! A function without the attribute cannot be mounted.
use x402_runtime::handler::PaidHandler;

async fn weather() {}

fn mount<T>(_handler: impl PaidHandler<T, ()>) {}

fn main() {
    mount(weather);
}
