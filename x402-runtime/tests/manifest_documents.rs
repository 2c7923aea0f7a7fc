//! The documents about a paywall, as browsers and caches ask for them.
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

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use common::{Double, NOW, PAY_TO, Shop};
use tower::ServiceExt as _;
use x402_runtime::clock::ManualClock;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::model::network::Network;
use x402_runtime::paid;
use x402_runtime::paywall::{Paywall, Rail};

/// A song.
#[paid(GET "/song", price = "0.01 USD")]
async fn song() -> &'static str {
    "la"
}

async fn router() -> Router {
    let paywall = Paywall::builder()
        .origin("https://api.example.com")
        .pay_to(PAY_TO)
        .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
        .clock_arc(Arc::new(ManualClock::at_seconds(NOW)))
        .facilitator_arc(Arc::new(Double::default()))
        .ledger(MemoryLedger::default())
        .mount(song)
        .build()
        .await
        .unwrap();
    paywall.router().with_state(Shop::default())
}

async fn ask(router: &Router, method: &str, path: &str, known: Option<&str>) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(known) = known {
        request = request.header("if-none-match", known);
    }
    let request = request.body(Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap()
}

fn header<'a>(answer: &'a Response<Body>, name: &str) -> &'a str {
    let value = answer.headers().get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

const DOCUMENTS: &[&str] = &[
    "/.well-known/x402-manifest.json",
    "/openapi.json",
    "/openapi-3.0.json",
    "/llms.txt",
    "/.well-known/api-catalog",
    "/mcp-tools.json",
];

#[tokio::test]
async fn what_head_says_is_what_get_would() {
    let router = router().await;
    for path in DOCUMENTS {
        let full = ask(&router, "GET", path, None).await;
        let head = ask(&router, "HEAD", path, None).await;
        let known = ask(&router, "HEAD", path, Some(header(&full, "etag"))).await;
        assert_eq!(head.status(), 200, "{path}");
        assert_eq!(known.status(), 304, "{path}");
        let length = axum::body::to_bytes(full.into_body(), 1 << 20)
            .await
            .unwrap()
            .len();
        for answer in [head, known] {
            assert_eq!(
                header(&answer, "content-length"),
                length.to_string(),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn a_script_in_a_browser_may_ask_whether_a_document_has_changed() {
    let router = router().await;
    for path in DOCUMENTS {
        let first = ask(&router, "OPTIONS", path, None).await;
        assert_eq!(first.status(), 204, "{path}");
        assert_eq!(header(&first, "access-control-allow-origin"), "*");
        assert_eq!(header(&first, "access-control-allow-methods"), "GET, HEAD");
        assert!(header(&first, "access-control-allow-headers").contains("If-None-Match"));
        let then = ask(&router, "GET", path, None).await;
        assert_eq!(header(&then, "access-control-expose-headers"), "ETag");
        assert_eq!(ask(&router, "POST", path, None).await.status(), 405);
    }
}
