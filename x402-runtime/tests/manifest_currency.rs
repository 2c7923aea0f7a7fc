//! A manifest counts in one currency: a price in another token is not told as one in dollars.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first thing that is not as expected"
)]

#[path = "common/all.rs"]
mod common;

use std::sync::Arc;

use common::{Double, NOW, PAY_TO, Shop};
use serde_json::Value;
use x402_runtime::clock::ManualClock;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::model::asset::{Asset, Eip712Name, TransferMethod, parse_address};
use x402_runtime::model::network::Network;
use x402_runtime::model::wire::{PaymentRequired, headers};
use x402_runtime::paid;
use x402_runtime::paywall::{Paywall, PaywallBuilder, Rail};

/// A song.
#[paid(GET "/song", price = "0.01 USD")]
async fn song() -> &'static str {
    "la"
}

/// A song for a stablecoin.
#[paid(GET "/tune", price = "0.02 USDC")]
async fn tune() -> &'static str {
    "la"
}

/// A song for euros.
#[paid(GET "/lied", price = "0.03 EURC")]
async fn lied() -> &'static str {
    "la"
}

fn builder() -> PaywallBuilder<Shop> {
    let eurc = Asset {
        network: Network::BASE_SEPOLIA,
        address: parse_address("0x808456652fdb597867f38412077A9182bf77359F").unwrap(),
        symbol: "EURC".into(),
        decimals: 6,
        eip712: Some(Eip712Name {
            name: "EURC".into(),
            version: "2".into(),
        }),
        transfer: TransferMethod::Eip3009,
        eip2612: false,
        usd_pegged: false,
    };
    Paywall::builder()
        .origin("https://api.example.com")
        .pay_to(PAY_TO)
        .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
        .accept(Rail::custom(eurc))
        .clock_arc(Arc::new(ManualClock::at_seconds(NOW)))
}

/// The currency, the ids, and the symbols of the tokens that a manifest tells.
fn told(builder: &PaywallBuilder<Shop>) -> (String, Vec<String>, Vec<String>) {
    let published = builder.manifest().unwrap();
    let manifest = published.manifest();
    (
        manifest.currency.clone(),
        manifest
            .endpoints
            .iter()
            .map(|one| one.id.clone())
            .collect(),
        manifest
            .assets
            .values()
            .map(|one| one.symbol.clone())
            .collect(),
    )
}

#[test]
fn a_price_in_another_token_is_not_told_in_dollars() {
    let texts = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    let mixed = builder().mount(lied).mount(song).mount(tune);
    assert_eq!(
        told(&mixed),
        ("USD".to_owned(), texts(&["song", "tune"]), texts(&["USDC"]))
    );
    let euros = builder().mount(lied);
    assert_eq!(
        told(&euros),
        ("XXX".to_owned(), texts(&["lied"]), texts(&["EURC"]))
    );
    for view in euros.manifest().unwrap().views() {
        let text = String::from_utf8(view.bytes).unwrap();
        assert!(!text.contains("USD"), "{}: {text}", view.path);
    }
}

#[tokio::test]
async fn what_no_manifest_in_dollars_tells_is_a_warning_and_sold_all_the_same() {
    let paywall = builder()
        .facilitator_arc(Arc::new(Double::default()))
        .ledger(MemoryLedger::default())
        .mount(lied)
        .mount(song)
        .build()
        .await
        .unwrap();
    let warnings: Vec<_> = paywall
        .warnings()
        .iter()
        .map(|one| (one.code(), one.to_string()))
        .collect();
    let about: Vec<_> = warnings
        .iter()
        .filter(|(code, _)| *code == "price_no_dollar")
        .collect();
    assert_eq!(about.len(), 1);
    assert!(
        about[0].1.starts_with("`lied` is priced in EURC"),
        "{about:?}"
    );
    let router = paywall.router().with_state(Shop::default());
    let request = axum::http::Request::get("/lied")
        .body(axum::body::Body::empty())
        .unwrap();
    let answer = tower::ServiceExt::oneshot(router, request).await.unwrap();
    assert_eq!(answer.status(), 402);
    let header = answer.headers()["payment-required"].as_bytes();
    let told: PaymentRequired = headers::decode(header, usize::MAX).unwrap();
    let block = &told.extensions.unwrap()["bazaar"];
    assert_eq!(
        block["info"]["input"]["method"], "GET",
        "listed all the same"
    );
    let body = axum::body::to_bytes(answer.into_body(), 65_536)
        .await
        .unwrap();
    let terms: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(terms["accepts"][0]["maxAmountRequired"], "30000");
}
