//! A handler has at most 16 arguments.
use x402_runtime::paid;

type U = axum::http::Uri;

#[paid(GET "/weather", price = "0.01 USDC")]
async fn weather(
    _: U, _: U, _: U, _: U, _: U, _: U, _: U, _: U, _: U,
    _: U, _: U, _: U, _: U, _: U, _: U, _: U, seventeenth: U,
) {
    drop(seventeenth);
}

fn main() {}
