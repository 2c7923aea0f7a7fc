//! Payments whose time runs out, or whose owner is gone, while something is done for them.
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

use common::shop::{request, until};
use common::{Buyer, NOW, Stand};
use x402_runtime::ledger::{Ledger, MemoryLedger};

/// Two authorizations with one nonce: the second takes over a reservation whose owner is gone. The record must not join the
/// request of one with the amount and the expiry of the other.
#[tokio::test]
async fn t3_a_reservation_taken_over_does_not_mix_two_authorizations() {
    let ledger = Arc::new(MemoryLedger::default());
    let stand = Stand::open_with(ledger.clone(), |builder| builder).await;
    let (buyer, terms) = (Buyer::new(7), stand.terms("GET", "/behave/wait").await);
    let pay = |valid_before: u64| {
        let change = common::Change {
            nonce: Some(alloy_primitives::B256::repeat_byte(0x77)),
            valid_before: Some(alloy_primitives::U256::from(valid_before)),
            ..Default::default()
        };
        buyer.pay_with(&terms, NOW, &change)
    };
    let (first, second) = (pay(NOW + 300), pay(NOW + 200));
    let app = stand.app.clone();
    let held = tokio::spawn(async move {
        common::shop::send(&app, request("GET", "/behave/wait", Some(&first), "")).await
    });
    until(|| stand.runs() == 1).await;
    stand.clock.advance_ms(80_000);
    let answer = stand.get("/behave/wait", Some(&second)).await;
    assert_eq!(answer.brief(), (409, "payment_in_progress".to_owned()));
    // It is free now.
    stand.shop.door.add_permits(2);
    assert_eq!(held.await.unwrap().code(), "payment_in_progress");
    assert_eq!(stand.get("/behave/wait", Some(&second)).await.status, 200);
    for record in ledger.due(u64::MAX, 9).await.unwrap() {
        let sent = &record.request.payload.to_value()["payload"]["authorization"]["validBefore"];
        assert_eq!(sent.as_str().unwrap(), record.valid_before.to_string());
    }
    assert_eq!(stand.double.settles(), 1);
}

/// The facilitator took so long to verify that the payment can no longer be settled: the handler must not work for it.
#[tokio::test]
async fn g15_a_payment_that_runs_out_before_the_handler_starts_is_not_served() {
    let stand = Stand::open().await;
    let terms = stand.terms("GET", "/news").await;
    let body = axum::body::Body::from_stream(futures_util::stream::once({
        let clock = stand.clock.clone();
        async move {
            clock.advance_ms(295_000);
            Ok::<_, std::io::Error>(bytes::Bytes::from_static(b"late"))
        }
    }));
    let payment = Buyer::new(7).pay(&terms, NOW);
    let mut late = request("GET", "/news", Some(&payment), "");
    *late.body_mut() = body;
    let answer = stand.send(late).await;
    assert_eq!(answer.brief(), (402, "authorization_expired".to_owned()));
    assert_eq!(answer.json()["charged"], false);
    stand.assert_untouched("late");
}
