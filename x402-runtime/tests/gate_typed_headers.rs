//! Headers that a handler takes by their names: told in the manifest, and read as they were told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "common/all.rs"]
mod common;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Request};
use common::shop::builder;
use common::{Answer, Buyer, Double, NOW, Stand};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use x402_runtime::clock::ManualClock;
use x402_runtime::extract::Headers;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::paid;

/// How a call is traced.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct Trace {
    /// Repeated in the answer.
    x_trace: String,
    x_depth: Option<u8>,
}

/// Says which call this was.
#[paid(
    GET "/traced",
    price = tiers(by = header("x-depth") or "1", "1" => "0.01 USDC", "2" => "0.02 USDC"),
)]
async fn traced(Headers(trace): Headers<Trace>) -> String {
    format!("{} at {:?}", trace.x_trace, trace.x_depth)
}

async fn stand() -> Stand {
    let (double, clock) = (
        Arc::new(Double::default()),
        Arc::new(ManualClock::at_seconds(NOW)),
    );
    let builder = builder(&double, &clock, Arc::new(MemoryLedger::default()));
    Stand::of(builder.mount(traced), double, clock).await
}

async fn get(stand: &Stand, headers: &[(&str, &[u8])]) -> Answer {
    let mut request = Request::get("/traced");
    for (name, value) in headers {
        request = request.header(*name, HeaderValue::from_bytes(value).unwrap());
    }
    stand.send(request.body(Body::empty()).unwrap()).await
}

/// Pays for what these headers cost, and sends them.
async fn buy(stand: &Stand, headers: &[(&str, &[u8])], seed: u8) -> Answer {
    let terms = get(stand, headers).await.terms();
    let payment = Buyer::new(seed).pay(&terms, stand.now());
    let mut all = headers.to_vec();
    all.push(("payment-signature", payment.as_bytes()));
    get(stand, &all).await
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.to_vec()).unwrap()
}

#[tokio::test]
async fn the_manifest_tells_the_headers_that_a_handler_takes() {
    let stand = stand().await;
    let manifest = stand.paywall.manifest().manifest();
    let mut all = manifest.endpoints.iter();
    let entry = all.find(|entry| entry.id == "traced").unwrap();
    assert_eq!(entry.input.header, Some(json!({"$ref": "#/schemas/Trace"})));
    let told = &manifest.schemas["Trace"];
    assert_eq!(told["required"], json!(["x-trace"]));
    let trace = &told["properties"]["x-trace"];
    assert_eq!(trace["description"], "Repeated in the answer.");
    // The price looks at one of them, and takes a default where it is not there.
    assert_eq!(told["properties"]["x-depth"]["default"], 1);
}

#[tokio::test]
async fn a_handler_gets_the_headers_and_who_sends_others_pays_nothing() {
    let stand = stand().await;
    let answer = buy(
        &stand,
        &[("x-trace", b"a&b=c %41+\"d\""), ("x-depth", b"2")],
        1,
    )
    .await;
    assert_eq!(
        (answer.status, text(&answer)),
        (200, "a&b=c %41+\"d\" at Some(2)".to_owned())
    );
    let answer = buy(&stand, &[("X-Trace", b""), ("x-odd", b"\xff\xfe")], 2).await;
    assert_eq!((answer.status, text(&answer)), (200, " at None".to_owned()));
    let settled = stand.double.settles();
    for (seed, headers, why) in [
        (3, &[("x-odd", &b"1"[..])][..], "missing field `x-trace`"),
        (
            4,
            &[("x-trace", b"a"), ("x-trace", b"b")],
            "duplicate field `x-trace`",
        ),
        (5, &[("x-trace", b"\xff")], "missing field `x-trace`"),
    ] {
        let answer = buy(&stand, headers, seed).await;
        assert_eq!(answer.status, 400, "{why}");
        assert!(text(&answer).contains(why), "{}", text(&answer));
    }
    assert_eq!(stand.double.settles(), settled);
}

proptest! {
    #[test]
    fn every_text_of_a_header_arrives_as_it_was(text in "[ -~]{0,200}") {
        use axum::extract::FromRequestParts as _;
        let request = Request::get("/").header("x-trace", &text).body(()).unwrap();
        let (mut parts, ()) = request.into_parts();
        let read = Headers::<Trace>::from_request_parts(&mut parts, &());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let Headers(trace) = runtime.block_on(read).unwrap();
        prop_assert_eq!(trace.x_trace, text);
    }
}
