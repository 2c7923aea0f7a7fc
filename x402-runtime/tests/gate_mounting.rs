//! How paid handlers sit in a router: methods, nesting, layers, and the extractor outside of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test fails by panicking, and a table is as long as it is"
)]

#[path = "common/all.rs"]
mod common;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use common::shop::{self, builder, request, send};
use common::{Buyer, Double, NOW, Stand};
use tower::limit::ConcurrencyLimitLayer;
use x402_runtime::clock::ManualClock;
use x402_runtime::extract::Paid;
use x402_runtime::ledger::MemoryLedger;

#[tokio::test]
async fn g20_head_is_gated_and_is_the_same_purchase_as_get() {
    let stand = Stand::open().await;
    let unpaid = stand.call("HEAD", "/weather/oslo", None, "").await;
    assert_eq!(
        (unpaid.status, unpaid.body.len(), stand.runs()),
        (402, 0, 0)
    );
    let payment = Buyer::new(7).pay(&unpaid.terms(), NOW);
    let head = stand
        .call("HEAD", "/weather/oslo", Some(&payment), "")
        .await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    let get = stand.get("/weather/oslo", Some(&payment)).await;
    assert_eq!(get.json()["city"], "oslo");
    assert_eq!(stand.runs(), 1);
}

#[tokio::test]
async fn g20_method_matrix() {
    let stand = Stand::open().await;
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    for method in [
        "OPTIONS", "TRACE", "POST", "PUT", "DELETE", "PATCH", "CONNECT", "BREW",
    ] {
        let answer = stand.call(method, "/news", Some(&payment), "").await;
        assert_eq!(answer.status, 405, "{method}");
        let mut overridden = request("POST", "/news", Some(&payment), "");
        overridden
            .headers_mut()
            .insert("x-http-method-override", "GET".parse().unwrap());
        assert_eq!(stand.send(overridden).await.status, 405);
    }
    assert_eq!((stand.runs(), stand.double.settles()), (0, 0));
}

#[tokio::test]
async fn nests_merges_and_layers_like_any_router() {
    let (double, clock) = (
        Arc::new(Double::default()),
        Arc::new(ManualClock::at_seconds(NOW)),
    );
    let ledger = Arc::new(MemoryLedger::default());
    let paywall = builder(&double, &clock, ledger)
        .mount(shop::news)
        .mount(shop::weather)
        .build()
        .await
        .unwrap();
    let shop = common::Shop::default();
    let app: Router = Router::new()
        .nest("/v1", paywall.router())
        .route("/free", get(|| async { "free" }))
        .fallback(|| async { "nothing here" })
        .layer(ConcurrencyLimitLayer::new(1))
        .with_state(shop);
    let terms = send(&app, request("GET", "/v1/weather/oslo", None, ""))
        .await
        .terms();
    assert_eq!(
        terms.resource.url,
        "https://api.example.com/v1/weather/oslo"
    );
    let payment = Buyer::new(7).pay(&terms, NOW);
    let answer = send(&app, request("GET", "/v1/weather/oslo", Some(&payment), "")).await;
    assert_eq!(answer.json()["city"], "oslo");
    assert_eq!(
        send(&app, request("GET", "/free", None, "")).await.body,
        "free"
    );
    assert_eq!(
        send(&app, request("GET", "/v1/none", None, "")).await.body,
        "nothing here"
    );
}

#[tokio::test]
async fn paid_is_not_to_be_had_without_a_paywall() {
    async fn careless(paid: Paid) -> String {
        paid.payer.to_string()
    }
    async fn careful(paid: Option<Paid>) -> &'static str {
        if paid.is_some() { "paid" } else { "free" }
    }
    let app = Router::new()
        .route("/careless", get(careless))
        .route("/careful", get(careful));
    let payment = Buyer::new(7).pay(&Stand::open().await.terms("GET", "/news").await, NOW);
    let answer = send(&app, request("GET", "/careless", Some(&payment), "")).await;
    assert_eq!(answer.brief(), (402, "payment_required".to_owned()));
    assert!(answer.headers.get("payment-required").is_none());
    let answer = send(&app, request("GET", "/careful", Some(&payment), "")).await;
    assert_eq!(answer.body, "free");
}
