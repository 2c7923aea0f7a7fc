//! Scheduled changes of prices that depend on the request, on what is used, or on a function.

use std::sync::Arc;

use alloy_primitives::U256;
use axum::extract::Query;
use serde::Deserialize;
use x402_runtime::handler::{QuoteRequest, QuoteResult};
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::{Meter, paid};

use crate::common::{Buyer, NOW, Stand};
use crate::metered::{authorization, settled, sign};
use crate::{SWITCH, asked, stand_at};

/// By the days, later by other days, and then alike.
#[paid(
    GET "/forecast",
    price = tiers(by = query.days, ..=3 => "0.01 USDC", ..=14 => "0.04 USDC"),
    scheduled = [
        price(tiers(by = query.days, ..=3 => "0.02 USDC", ..=14 => "0.06 USDC"), from = "2026-09-21T14:15:00Z"),
        price("0.05 USDC", from = "2026-10-21"),
    ],
)]
async fn forecast() -> &'static str {
    "sun"
}

/// By the same price, then by the length of the text.
#[paid(
    POST "/shorten",
    price = "0.01 USDC",
    scheduled = [price(tiers(by = bytes(body), ..=4 => "0.02 USDC", ..=100 => "0.03 USDC"), from = "2026-09-21T14:15:00Z")],
)]
async fn shorten(text: String) -> String {
    text.chars().take(2).collect()
}

/// By the length of the text, then by the same price.
#[paid(
    POST "/lengthen",
    price = tiers(by = bytes(body), ..=4 => "0.02 USDC", ..=100 => "0.03 USDC"),
    scheduled = [price("0.01 USDC", from = "2026-09-21T14:15:00Z")],
)]
async fn lengthen(text: String) -> String {
    text.clone() + &text
}

#[derive(Deserialize)]
struct Count {
    n: u64,
}

/// By the word; the ceiling stays.
#[paid(
    GET "/words",
    price = upto("0.02 USDC", units(words = "0.001 USDC")),
    scheduled = [price(upto("0.02 USDC", units(words = "0.002 USDC")), from = "2026-09-21T14:15:00Z")],
)]
async fn words(meter: Meter, Query(count): Query<Count>) -> &'static str {
    meter.add("words", count.n);
    "words"
}

/// By the word, with a ceiling that follows the request.
#[paid(
    GET "/estimated",
    price = upto("0.02 USDC", units(words = unit("0.001 USDC", per = 1, estimate = query.n or 5))),
    scheduled = [
        price(upto("0.03 USDC", units(words = unit("0.002 USDC", per = 1, estimate = query.n or 5))), from = "2026-09-21T14:15:00Z"),
    ],
)]
async fn estimated(meter: Meter, Query(count): Query<Count>) -> &'static str {
    meter.add("words", count.n);
    "words"
}

async fn three_cents(_: QuoteRequest) -> QuoteResult {
    Ok("0.03 USDC".parse()?)
}

/// At what it is worth; the bounds move.
#[paid(
    GET "/quote",
    price = dynamic(three_cents, max = "0.05 USDC", min = "0.01 USDC"),
    scheduled = [price(dynamic(three_cents, max = "0.10 USDC", min = "0.02 USDC"), from = "2026-09-21T14:15:00Z")],
)]
async fn quote() -> &'static str {
    "quote"
}

async fn stand() -> Stand {
    stand_at(NOW, Arc::new(MemoryLedger::default()), |builder| {
        builder
            .mount(forecast)
            .mount(shorten)
            .mount(lengthen)
            .mount(words)
            .mount(estimated)
            .mount(quote)
    })
    .await
}

/// What is asked of a request before, right after and long after the change.
async fn asked_of(stand: &Stand, method: &str, path: &str, body: &str) -> Vec<String> {
    let mut all = Vec::new();
    for seconds in [NOW, SWITCH, SWITCH + 3_000_000] {
        stand.clock.set_ms(seconds * 1000);
        all.push(asked(&stand.call(method, path, None, body).await));
    }
    all
}

#[tokio::test]
async fn every_kind_of_price_can_change() {
    let stand = stand().await;
    for (method, path, body, amounts) in [
        ("GET", "/forecast?days=2", "", ["10000", "20000", "50000"]),
        ("GET", "/forecast?days=9", "", ["40000", "60000", "50000"]),
        ("POST", "/shorten", "abc", ["10000", "20000", "20000"]),
        ("POST", "/shorten", "abcdef", ["10000", "30000", "30000"]),
        ("POST", "/lengthen", "abc", ["20000", "10000", "10000"]),
        ("GET", "/words?n=3", "", ["20000", "20000", "20000"]),
        ("GET", "/estimated?n=3", "", ["3000", "6000", "6000"]),
        ("GET", "/quote", "", ["30000", "30000", "30000"]),
    ] {
        assert_eq!(
            asked_of(&stand, method, path, body).await,
            amounts,
            "{path} {body}"
        );
    }
}

#[tokio::test]
async fn g09_quotes_from_before_the_change_are_kept_to() {
    for (method, path, body, amount) in [
        ("GET", "/forecast?days=9", "", "40000"),
        ("POST", "/shorten", "abcdef", "10000"),
        ("POST", "/lengthen", "abc", "20000"),
        ("GET", "/quote", "", "30000"),
    ] {
        let stand = stand().await;
        let told = stand.call(method, path, None, body).await.terms();
        let pay = |buyer| Buyer::new(buyer).pay(&told, SWITCH);
        stand.clock.set_ms((SWITCH + 50) * 1000);
        let paid = stand.call(method, path, Some(&pay(1)), body).await;
        assert_eq!(paid.status, 200, "{path}: {paid:?}");
        assert_eq!(
            settled(&stand).last().map(u128::to_string).as_deref(),
            Some(amount),
            "{path}"
        );
        if path == "/quote" {
            // It costs the same then, whenever it was told.
            continue;
        }
        stand.clock.set_ms((SWITCH + 1_000) * 1000);
        let late = Buyer::new(2).pay(&told, stand.now());
        let refused = stand.call(method, path, Some(&late), body).await;
        assert_eq!((refused.status, stand.double.settles()), (402, 1), "{path}");
    }
}

#[tokio::test]
async fn g09_an_old_quote_is_for_the_request_that_it_was_told() {
    let stand = stand().await;
    let told = stand.terms("GET", "/forecast?days=2").await;
    stand.clock.set_ms((SWITCH + 5) * 1000);
    let payment = Buyer::new(1).pay(&told, stand.now());
    let refused = stand.get("/forecast?days=9", Some(&payment)).await;
    assert_eq!((refused.status, &*asked(&refused)), (402, "60000"));
    assert_eq!(stand.double.settles(), 0);
}

#[tokio::test]
async fn g09_new_quotes_are_paid_right_after_the_change() {
    let stand = stand().await;
    stand.clock.set_ms(SWITCH * 1000);
    for (method, path, body, amount) in [
        ("GET", "/forecast?days=9", "", "60000"),
        ("POST", "/shorten", "abcdef", "30000"),
        ("POST", "/lengthen", "abc", "10000"),
        ("GET", "/quote", "", "30000"),
    ] {
        let told = stand.call(method, path, None, body).await.terms();
        let payment = Buyer::new(1).pay(&told, stand.now());
        let paid = stand.call(method, path, Some(&payment), body).await;
        assert_eq!(paid.status, 200, "{path}: {paid:?}");
        assert_eq!(
            settled(&stand).last().map(u128::to_string).as_deref(),
            Some(amount),
            "{path}"
        );
    }
}

#[tokio::test]
async fn g09_what_is_used_is_metered_by_the_prices_that_were_told() {
    let stand = stand().await;
    for (nonce, path) in [(1, "/words?n=3"), (2, "/estimated?n=3")] {
        stand.clock.set_ms(NOW * 1000);
        let before = stand.terms("GET", path).await;
        stand.clock.set_ms((SWITCH + 50) * 1000);
        let after = stand.terms("GET", path).await;
        for (terms, nonce) in [(before, nonce), (after, nonce + 10)] {
            let payment = sign(&terms, authorization(&terms, nonce));
            let paid = stand.get(path, Some(&payment)).await;
            assert_eq!(paid.status, 200, "{path}: {paid:?}");
        }
    }
    assert_eq!(settled(&stand), [3_000, 6_000, 3_000, 6_000]);
}

#[tokio::test]
async fn g09_an_old_ceiling_does_not_pass_for_a_new_one_later() {
    let stand = stand().await;
    for (nonce, path) in [(1, "/words?n=3"), (2, "/estimated?n=3")] {
        stand.clock.set_ms(NOW * 1000);
        let before = stand.terms("GET", path).await;
        stand.clock.set_ms((SWITCH + 1_000) * 1000);
        let mut signed = authorization(&before, nonce);
        signed.deadline = U256::from(stand.now() + 200);
        let refused = stand.get(path, Some(&sign(&before, signed))).await;
        assert_eq!(refused.status, 402, "{path}: {refused:?}");
    }
    assert_eq!(stand.double.settles(), 0);
}
