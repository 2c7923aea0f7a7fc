//! Prices as `#[paid]` writes them, told and taken by a paywall.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    dead_code,
    reason = "a test fails by panicking"
)]

#[path = "common/all.rs"]
mod common;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::{Json, Router};
use common::shop::{Answer, PAY_TO, Shared, request, send};
use common::{Buyer, Double, NOW};
use serde::Deserialize;
use x402_runtime::clock::ManualClock;
use x402_runtime::handler::{QuoteRequest, QuoteResult};
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::{Network, Paywall, Rail, paid};

#[derive(Deserialize)]
struct Ask {
    quality: Quality,
    text: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum Quality {
    #[default]
    Fast,
    Best,
}

#[paid(
    POST "/summaries",
    price = tiers(
        multiply,
        by = body.quality, "fast" => "0.01 USDC", "best" => "0.50 USDC",
        by = chars(body.text), ..=5 => "x1", ..=10 => "x2.5",
    ),
    probe = r#"{"body": {"quality": "fast", "text": "short"}}"#,
)]
async fn summarise(Json(ask): Json<Ask>) -> String {
    match ask.quality {
        Quality::Fast => "fast".to_owned(),
        Quality::Best => ask.text,
    }
}

#[derive(Clone)]
struct Zone {
    capital: &'static str,
}

async fn by_city(zone: Zone, request: QuoteRequest) -> QuoteResult {
    let capital = request.capture("city") == Some(zone.capital);
    Ok(if capital { "0.05 USDC" } else { "0.02 USDC" }.parse()?)
}

#[paid(GET "/tours/{city}", price = dynamic(by_city, max = "0.10 USDC", min = "0.01 USDC"))]
async fn tour(State(_): State<Zone>, Path(city): Path<String>) -> String {
    city
}

async fn open() -> Router {
    let paywall = Paywall::builder()
        .origin("https://api.example.com")
        .pay_to(PAY_TO)
        .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
        .facilitator(Arc::new(Double::default()))
        .ledger(MemoryLedger::default())
        .clock(Shared(Arc::new(ManualClock::at_seconds(NOW))))
        .mount(summarise)
        .mount(tour)
        .build()
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    paywall.router().with_state(Zone { capital: "Oslo" })
}

async fn call(app: &Router, method: &str, path: &str, payment: Option<&str>, body: &str) -> Answer {
    let mut request = request(method, path, payment, body);
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(header::CONTENT_TYPE, json);
    send(app, request).await
}

fn amount(answer: &Answer) -> String {
    answer.terms().accepts[0].view().unwrap().amount.to_string()
}

#[tokio::test]
async fn tiers_of_the_attribute_are_told_and_taken() {
    let app = open().await;
    let buyer = Buyer::new(7);
    for (body, price, answer) in [
        (r#"{"quality":"fast","text":"abcde"}"#, "10000", "fast"),
        (r#"{"quality":"best","text":"abcde"}"#, "500000", "abcde"),
        (r#"{"quality":"best","text":"äöüßéà"}"#, "1250000", "äöüßéà"),
    ] {
        let told = call(&app, "POST", "/summaries", None, body).await;
        assert_eq!(amount(&told), price, "{body}");
        let payment = buyer.pay(&told.terms(), NOW);
        let paid = call(&app, "POST", "/summaries", Some(&payment), body).await;
        assert_eq!((paid.status, &*paid.body), (200, answer.as_bytes()));
    }
    let probe = call(&app, "POST", "/summaries", None, "").await;
    assert_eq!(amount(&probe), "10000", "the price of the example");
}

/// The handler's own reader takes a struct from an array too, and would see the dear quality.
#[tokio::test]
async fn what_the_price_cannot_see_the_handler_does_not_get() {
    let app = open().await;
    for body in [
        r#"["best","abcde"]"#,
        r#"{"quality":"fast","quality":"best","text":"abcde"}"#,
        r#"{"quality":"best","text":"more than ten characters"}"#,
        r#"{"quality":"none","text":""}"#,
        r#"{"text":""}"#,
    ] {
        let told = call(&app, "POST", "/summaries", None, body).await;
        assert_eq!(
            told.brief(),
            (400, "price_undetermined".to_owned()),
            "{body}"
        );
    }
}

#[tokio::test]
async fn the_quote_function_of_the_attribute_tells_the_price() {
    let app = open().await;
    for (path, price) in [("/tours/Oslo", "50000"), ("/tours/Bergen", "20000")] {
        let told = call(&app, "GET", path, None, "").await;
        assert_eq!(amount(&told), price, "{path}");
        let payment = Buyer::new(7).pay(&told.terms(), NOW);
        let paid = call(&app, "GET", path, Some(&payment), "").await;
        assert_eq!(paid.status, 200);
    }
}
