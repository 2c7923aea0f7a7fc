//! Mounting on a paywall with another state says so.
use axum::extract::State;
use x402_runtime::handler::PaidHandler;
use x402_runtime::paid;

#[derive(Clone)]
struct App;

#[paid(GET "/weather", price = "0.01 USDC")]
async fn weather(_: State<App>) {}

fn mount<T>(_handler: impl PaidHandler<T, ()>) {}

fn main() {
    mount(weather);
}
