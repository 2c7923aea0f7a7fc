//! No routing function of axum takes a paid function.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use x402_runtime::paid;

#[paid(GET "/weather/{city}", price = "0.01 USDC")]
async fn weather(Path(city): Path<String>) -> String {
    city
}

fn main() {
    let _: Router = Router::new().route("/weather/{city}", get(weather));
}
