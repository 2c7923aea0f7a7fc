//! A mistake in the attribute does not break what uses the function elsewhere.

use axum::extract::Path;
use x402_runtime::handler::PaidHandler;
use x402_runtime::paid;

#[paid(GET "/weather/{city}", price = "0.01 UDSC")]
async fn weather(Path(city): Path<String>) -> String {
    city
}

fn mount<T>(_handler: impl PaidHandler<T, ()>) {}

async fn in_a_test() -> String {
    weather(Path("Oslo".to_owned())).await
}

fn main() {
    mount(weather);
    drop(in_a_test());
}
