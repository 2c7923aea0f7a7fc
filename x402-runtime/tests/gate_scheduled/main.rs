//! Prices that change at a time that was announced: what is asked, what is still paid, and what the documents say.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../common/all.rs"]
mod common;
mod documents;
#[path = "../gate_metered/shop.rs"]
#[allow(dead_code, reason = "shared with the tests of metered prices")]
mod metered;
mod priced;

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use common::shop::{Shop, builder, until};
use common::{Answer, Buyer, Change, Double, NOW, Stand};
use serde_json::{Value, json};
use x402_runtime::clock::ManualClock;
use x402_runtime::ledger::{Ledger, MemoryLedger};
use x402_runtime::paid;
use x402_runtime::paywall::PaywallBuilder;

/// When most prices change.
pub(crate) const SWITCH: u64 = NOW + 100;

/// Rises twice.
#[paid(
    GET "/weather",
    price = "0.01 USDC",
    timeout = "60s",
    scheduled = [
        price("0.02 USDC", from = "2026-09-21T14:15:00Z", announced = "2026-09-01", reason = "Data costs more"),
        price("0.03 USDC", from = "2026-10-21", announced = "2026-09-01"),
    ],
)]
pub(crate) async fn weather() -> &'static str {
    "rain"
}

/// Costs what it costs.
#[paid(GET "/news", price = "0.01 USDC")]
pub(crate) async fn news() -> &'static str {
    "news"
}

pub(crate) async fn stand_at(
    now: u64,
    ledger: Arc<dyn Ledger>,
    change: impl FnOnce(PaywallBuilder<Shop>) -> PaywallBuilder<Shop>,
) -> Stand {
    let (double, clock) = (
        Arc::new(Double::default()),
        Arc::new(ManualClock::at_seconds(now)),
    );
    metered::metering(&double);
    let builder = builder(&double, &clock, ledger).mount(weather).mount(news);
    Stand::of(change(builder), double, clock).await
}

pub(crate) async fn stand() -> Stand {
    stand_at(NOW, Arc::new(MemoryLedger::default()), |builder| builder).await
}

pub(crate) fn asked(answer: &Answer) -> String {
    let terms = answer.terms();
    terms.accepts[0].view().unwrap().amount.clone()
}

pub(crate) async fn price(stand: &Stand, path: &str) -> String {
    let answer = stand.get(path, None).await;
    assert_eq!(answer.status, 402);
    asked(&answer)
}

#[tokio::test]
async fn the_price_changes_at_its_instant_and_not_before() {
    let stand = stand().await;
    for (ms, amount) in [
        (NOW * 1000, "10000"),
        (SWITCH * 1000 - 1, "10000"),
        (SWITCH * 1000, "20000"),
        (1_792_540_799_999, "20000"),
        (1_792_540_800_000, "30000"),
    ] {
        stand.clock.set_ms(ms);
        assert_eq!(price(&stand, "/weather").await, amount, "{ms}");
        assert_eq!(price(&stand, "/news").await, "10000");
    }
    // Header and body say the same.
    let answer = stand.get("/weather", None).await;
    assert_eq!(answer.json()["price"], "0.03 USDC");
    assert_eq!(answer.json()["accepts"][0]["maxAmountRequired"], "30000");
}

#[tokio::test]
async fn g09_what_was_told_before_the_change_is_paid_until_its_time_is_over() {
    let stand = stand().await;
    stand.clock.set_ms(SWITCH * 1000 - 1);
    let told = stand.terms("GET", "/weather").await;
    let pay = |buyer: u8| Buyer::new(buyer).pay(&told, stand.now());
    let (first, late) = (pay(1), pay(2));
    stand.clock.set_ms((SWITCH + 20) * 1000);
    // Whoever asks now is told the new price; whoever was told before pays that.
    assert_eq!(price(&stand, "/weather").await, "20000");
    let paid = stand.get("/weather", Some(&first)).await;
    assert_eq!(paid.status, 200, "{paid:?}");
    assert_eq!(metered::settled(&stand), [10_000]);
    // The new price is paid, too.
    let new = Buyer::new(3).pay(&stand.terms("GET", "/weather").await, stand.now());
    let paid = stand.get("/weather", Some(&new)).await;
    assert_eq!((paid.status, stand.double.settles()), (200, 2));
    // Nobody is told the old price again, nor is it taken for ever.
    stand.clock.set_ms((SWITCH + 600) * 1000);
    let refused = stand.get("/weather", Some(&late)).await;
    assert_eq!((refused.status, &*asked(&refused)), (402, "20000"));
    assert_eq!(stand.double.settles(), 2);
    // What was paid is answered again.
    let again = stand.get("/weather", Some(&first)).await;
    assert_eq!((again.status, stand.double.settles()), (200, 2));
}

#[tokio::test]
async fn g09_a_refused_payment_of_the_old_price_is_told_the_new_one() {
    let stand = stand().await;
    let told = stand.terms("GET", "/weather").await;
    stand.clock.set_ms(SWITCH * 1000);
    let short = Change {
        value: Some("9999".parse().unwrap()),
        ..Change::default()
    };
    let payment = Buyer::new(1).pay_with(&told, stand.now(), &short);
    let refused = stand.get("/weather", Some(&payment)).await;
    assert_eq!((refused.status, &*asked(&refused)), (402, "20000"));
    let garbage = stand.get("/weather", Some("garbage")).await;
    assert_eq!((garbage.status, &*asked(&garbage)), (402, "20000"));
    assert_eq!(stand.double.settles(), 0);
}

#[tokio::test]
async fn g09_buyers_of_version_1_pay_what_they_were_told_too() {
    let stand = stand().await;
    let told = stand.terms("GET", "/weather").await;
    stand.clock.set_ms((SWITCH + 10) * 1000);
    let now = stand.terms("GET", "/weather").await;
    for (terms, amount) in [(told, "10000"), (now, "20000")] {
        let payment = Buyer::new(1).payment(&terms, stand.now(), &Change::default());
        let v1: Value = json!({"x402Version": 1, "scheme": "exact", "network": "base-sepolia", "payload": payment["payload"]});
        let request = Request::get("/weather").header("X-PAYMENT", common::buyer::encode(&v1));
        let paid = stand.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(paid.status, 200, "{amount}: {paid:?}");
    }
    let requests = stand.double.requests.lock().unwrap();
    let amounts = requests.iter().map(|one| one.amount().unwrap().to_string());
    assert_eq!(amounts.collect::<Vec<_>>(), ["10000", "20000"]);
}

#[tokio::test]
async fn g09_a_start_after_the_change_asks_the_new_price_and_takes_what_was_told_before() {
    let ledger: Arc<dyn Ledger> = Arc::new(MemoryLedger::default());
    let first = stand_at(SWITCH - 1, Arc::clone(&ledger), |builder| builder).await;
    let told = first.terms("GET", "/weather").await;
    let payment = |buyer: u8| Buyer::new(buyer).pay(&told, SWITCH);
    // It never saw the change.
    drop(first);
    let second = stand_at(SWITCH + 30, Arc::clone(&ledger), |builder| builder).await;
    assert_eq!(price(&second, "/weather").await, "20000");
    let paid = second.get("/weather", Some(&payment(1))).await;
    assert_eq!(paid.status, 200, "{paid:?}");
}

#[tokio::test]
async fn g09_terms_of_a_changed_price_outlive_the_process_that_told_them() {
    /// The next release: the price that held, and a new one.
    #[paid(GET "/weather", id = "weather", price = "0.05 USDC", timeout = "60s")]
    async fn released() -> &'static str {
        "rain"
    }
    let ledger = Arc::new(MemoryLedger::default());
    let first = stand_at(NOW, ledger.clone(), |builder| builder).await;
    first.clock.set_ms(SWITCH * 1000);
    let told = first.terms("GET", "/weather").await;
    assert_eq!(told.accepts[0].view().unwrap().amount, "20000");
    // The ledger hears of the new terms while nobody waits for it.
    until(|| futures_util::FutureExt::now_or_never(first.paywall.shutdown()).is_some()).await;
    let (double, clock) = (
        Arc::new(Double::default()),
        Arc::new(ManualClock::at_seconds(SWITCH + 20)),
    );
    let builder = builder(&double, &clock, ledger).mount(released);
    let second = Stand::of(builder, double, clock).await;
    assert_eq!(price(&second, "/weather").await, "50000");
    let payment = Buyer::new(1).pay(&told, second.now());
    let paid = second.get("/weather", Some(&payment)).await;
    assert_eq!(paid.status, 200, "{paid:?}");
    assert_eq!(metered::settled(&second), [20_000]);
}
