//! A facilitator that says yes to everything, over HTTP. All sellers of a table settle through one and the same, and its CPU
//! time is not counted.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use bytes::Bytes;

const SUPPORTED: &str = r#"{"kinds":[{"x402Version":2,"scheme":"exact","network":"eip155:84532"}],"extensions":[],"signers":{}}"#;
const VALID: &str = r#"{"isValid":true,"payer":"0x0000000000000000000000000000000000000001"}"#;
const SETTLED: &str = r#"{"success":true,"transaction":"0x1111111111111111111111111111111111111111111111111111111111111111","network":"eip155:84532"}"#;

fn json(text: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], text)
}

pub(super) fn app() -> Router {
    Router::new()
        .route("/supported", get(async || json(SUPPORTED)))
        .route("/verify", post(async |_: Bytes| json(VALID)))
        .route("/settle", post(async |_: Bytes| json(SETTLED)))
}
