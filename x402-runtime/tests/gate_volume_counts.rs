//! What payers bought is counted exactly: with many at once, across a restart, and when the records of it are purged.
#![cfg(feature = "sqlite")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "common/all.rs"]
mod common;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use common::shop::{builder, request, send};
use common::{Buyer, Double, NOW, Shop, Stand};
use x402_runtime::clock::ManualClock;
use x402_runtime::ledger::{Event, Ledger, SqliteLedger};
use x402_runtime::paid;

const DAY_MS: u64 = 86_400_000;

/// The call after the 256th costs half, and the one after that a quarter.
#[paid(GET "/rates", price = "0.001 USDC", rebate = volume("30d", 256 => "x0.5", 257 => "x0.25"))]
async fn rates(State(shop): State<Shop>) -> &'static str {
    shop.runs.fetch_add(1, Ordering::SeqCst);
    "rates"
}

struct Life {
    stand: Stand,
    ledger: Arc<SqliteLedger>,
}

impl Life {
    async fn new(path: &Path, clock: &Arc<ManualClock>) -> Self {
        let ledger = Arc::new(SqliteLedger::open(path).unwrap());
        let double = Arc::new(Double::default());
        let builder = builder(&double, clock, Arc::clone(&ledger) as Arc<dyn Ledger>).mount(rates);
        Self {
            stand: Stand::of(builder, double, Arc::clone(clock)).await,
            ledger,
        }
    }

    async fn end(self) {
        assert!(self.stand.paywall.shutdown().await);
    }

    /// What the next call costs somebody.
    async fn next(&self, buyer: &Buyer) -> String {
        let sign_in = buyer.sign_in(&self.stand.terms("GET", "/rates").await);
        let mut asking = request("GET", "/rates", None, "");
        let headers = asking.headers_mut();
        headers.insert("sign-in-with-x", sign_in.parse().unwrap());
        let terms = self.stand.send(asking).await.terms();
        terms.accepts[0].view().unwrap().amount.clone()
    }

    /// Takes every settled payment to its end, and removes its record.
    async fn purge(&self) -> u64 {
        for record in self.ledger.due(u64::MAX, 10_000).await.unwrap() {
            let at = record.updated_ms;
            let done = self.ledger.advance(&record.key, Event::Finalised, at).await;
            done.unwrap();
        }
        self.ledger.purge(u64::MAX, 10_000).await.unwrap()
    }
}

/// T5: 256 calls at once, each sent twice; then the process is another one, and then the records are gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_counted_once_at_once_and_after_a_restart_and_a_purge() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.sqlite");
    let clock = Arc::new(ManualClock::at_seconds(NOW));
    let buyer = Buyer::new(7);
    let life = Life::new(&path, &clock).await;
    let terms = life.stand.terms("GET", "/rates").await;
    let mut calls = Vec::new();
    for _ in 0..255 {
        let payment = buyer.pay(&terms, NOW);
        for _ in 0..2 {
            let (app, payment) = (life.stand.app.clone(), payment.clone());
            let call =
                async move { send(&app, request("GET", "/rates", Some(&payment), "")).await };
            calls.push(tokio::spawn(call));
        }
    }
    for call in calls {
        assert!([200, 409].contains(&call.await.unwrap().status));
    }
    assert_eq!((life.stand.runs(), life.stand.double.settles()), (255, 255));
    assert_eq!(life.next(&buyer).await, "1000", "one call before the step");
    let payment = buyer.pay(&terms, NOW);
    assert_eq!(life.stand.get("/rates", Some(&payment)).await.status, 200);
    assert_eq!(life.next(&buyer).await, "500");
    life.end().await;

    let life = Life::new(&path, &clock).await;
    assert_eq!(life.next(&buyer).await, "500", "after a restart");
    assert_eq!(life.purge().await, 256);
    assert_eq!(life.next(&buyer).await, "500", "after a purge");
    life.end().await;

    let life = Life::new(&path, &clock).await;
    clock.advance_ms(30 * DAY_MS - 1);
    assert_eq!(
        life.next(&buyer).await,
        "500",
        "after both, on the last day"
    );
    let terms = life.stand.terms("GET", "/rates").await;
    let payment = buyer.pay(&terms, life.stand.now());
    assert_eq!(life.stand.get("/rates", Some(&payment)).await.status, 200);
    assert_eq!(
        life.next(&buyer).await,
        "250",
        "the new one and the old ones"
    );
    clock.advance_ms(1);
    assert_eq!(life.next(&buyer).await, "1000", "only the new one");
    assert_eq!(life.purge().await, 1);
    assert_eq!(life.next(&buyer).await, "1000");
    life.end().await;
}
