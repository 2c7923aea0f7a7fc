//! No closure around a paid function that forwards its call is a handler.

use axum::Router;
use axum::routing::get;
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
async fn weather() -> String {
    String::new()
}

fn main() {
    let _: Router = Router::new().route("/weather", get(|| weather()));
    let _: Router = Router::new().route("/weather", get(async || weather()));
}
