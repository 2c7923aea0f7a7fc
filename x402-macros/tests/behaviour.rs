//! What `#[paid]` leaves as it was: calls in unit tests, extractors, return types, attributes, visibility, lints.
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unnameable_types,
    unused_qualifications,
    unused_lifetimes,
    single_use_lifetimes,
    non_ascii_idents,
    rust_2018_idioms,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::missing_docs_in_private_items
)]
#![allow(clippy::redundant_pub_crate, reason = "contradicts `unreachable_pub`")]
#![allow(clippy::expect_used, reason = "helpers of tests")]

#[path = "behaviour/attributes.rs"]
mod attributes;
#[path = "behaviour/calls.rs"]
mod calls;
#[path = "behaviour/data.rs"]
mod data;
#[path = "behaviour/extractors.rs"]
mod extractors;
#[path = "behaviour/hygiene.rs"]
mod hygiene;
#[path = "behaviour/prices.rs"]
mod prices;
#[path = "behaviour/returns.rs"]
mod returns;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use x402_runtime::handler::{PaidHandler, spec_of};
use x402_runtime::model::endpoint::EndpointSpec;

/// The constant data of a function that is mounted without state.
pub(crate) fn spec<H: PaidHandler<T, ()>, T>(handler: H) -> EndpointSpec {
    let spec = spec_of(&handler);
    drop(handler);
    spec
}

/// Runs extractors and handler as the gate does once a call is paid; returns status and body.
pub(crate) async fn serve<H, T, S>(handler: H, state: S, request: Request) -> (u16, String)
where
    H: PaidHandler<T, S>,
{
    let response: Response = handler.call(request, state).await;
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), 1 << 16).await;
    let body = String::from_utf8(body.expect("a short body").to_vec());
    (status, body.expect("text"))
}

/// A request without a body.
pub(crate) fn get(uri: &str) -> Request {
    let request = Request::builder().uri(uri).body(Body::empty());
    request.expect("a request")
}

/// A request with a JSON body.
pub(crate) fn post(uri: &str, json: &'static str) -> Request {
    let request = Request::builder()
        .method("POST")
        .uri(uri)
        .header("content-type", "application/json")
        .body(Body::from(json));
    request.expect("a request")
}

#[tokio::test]
async fn names_of_the_user_do_not_meet_ours() {
    hygiene::names_do_not_meet().await;
}
