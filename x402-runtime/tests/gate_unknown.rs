//! What becomes of payments whose settlement was refused, not heard of, cancelled or undone.
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

use common::double::{refusal, silence};
use common::shop::{request, until};
use common::{Buyer, NOW, Script, Stand};
use x402_runtime::facilitator::Evidence;
use x402_runtime::ledger::{Ledger, MemoryLedger, State};

#[tokio::test]
async fn refused_settlement_keeps_the_answer_and_may_be_tried_again() {
    let stand = Stand::open().await;
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/weather/oslo").await, NOW);
    stand.double.script([
        Script::Say(refusal("invalid_exact_evm_insufficient_balance")),
        Script::Say(refusal("invalid_exact_evm_transaction_failed: reverted")),
    ]);
    for reason in [
        "invalid_exact_evm_insufficient_balance",
        "invalid_exact_evm_transaction_failed",
    ] {
        let answer = stand.get("/weather/oslo", Some(&payment)).await;
        assert_eq!(answer.brief(), (402, "settlement_refused".to_owned()));
        assert!(answer.headers.get("payment-required").is_none());
        let settlement = answer.settlement().unwrap();
        assert!(!settlement.success);
        assert_eq!(settlement.error_reason.as_deref(), Some(reason));
        assert!(
            !answer.body.windows(4).any(|part| part == b"oslo"),
            "the answer leaked"
        );
    }
    // Nobody but the buyer asks again.
    assert_eq!(stand.paywall.recover().await.moved, 0);
    assert_eq!(stand.double.settles(), 2);
    let paid = stand.get("/weather/oslo", Some(&payment)).await;
    assert_eq!(
        (paid.status, stand.runs(), stand.double.settles()),
        (200, 1, 3)
    );
}

#[tokio::test]
async fn refused_payment_expires_without_a_charge() {
    let stand = Stand::open().await;
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    stand.double.script([Script::Say(refusal(
        "invalid_exact_evm_insufficient_balance",
    ))]);
    stand.get("/news", Some(&payment)).await;
    stand.clock.advance_ms(302_000);
    let answer = stand.get("/news", Some(&payment)).await;
    assert_eq!(answer.brief(), (402, "payment_expired".to_owned()));
    assert!(answer.headers.get("payment-required").is_some());
    assert_eq!(stand.paywall.recover().await.moved, 0, "no chain to ask");
    stand.clock.advance_ms(60 * 60 * 1000);
    assert_eq!(stand.paywall.recover().await.moved, 1);
    let answer = stand.get("/news", Some(&payment)).await;
    assert_eq!(answer.brief(), (402, "payment_expired".to_owned()));
    assert_eq!(stand.double.settles(), 1);
}

/// T3, F6: the settlement was refused, and then somebody else sent the authorization. A node that is down at the moment of
/// expiry must not make a failure of it.
#[tokio::test]
async fn t3_a_node_that_is_down_at_expiry_does_not_fail_a_payment() {
    let stand = Stand::open().await;
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    stand
        .double
        .script([Script::Say(refusal("settler_insufficient_funds"))]);
    stand.get("/news", Some(&payment)).await;
    stand.clock.advance_ms(302_000);
    stand.paywall.recover().await;
    stand.double.show(Evidence::Paid {
        transaction: "0xaa".to_owned(),
        confirmations: 12,
    });
    stand.clock.advance_ms(10_000);
    stand.paywall.recover().await;
    let paid = stand.get("/news", Some(&payment)).await;
    assert_eq!((paid.status, stand.runs()), (200, 1));
    assert_eq!(paid.settlement().unwrap().transaction, "0xaa");
}

#[tokio::test]
async fn unknown_outcome_is_pending_until_the_chain_says_paid() {
    let stand = Stand::open().await;
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    stand.double.script([silence()]);
    let pending = stand.get("/news", Some(&payment)).await;
    assert_eq!(pending.brief(), (503, "settlement_pending".to_owned()));
    assert_eq!(
        stand.get("/news", Some(&payment)).await.code(),
        "settlement_pending"
    );
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
    stand.clock.advance_ms(2_000);
    stand.double.show(Evidence::Paid {
        transaction: "0xaa".to_owned(),
        confirmations: 1,
    });
    assert_eq!(stand.paywall.recover().await.moved, 1);
    let paid = stand.get("/news", Some(&payment)).await;
    assert_eq!(paid.status, 200);
    assert_eq!(paid.settlement().unwrap().transaction, "0xaa");
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
}

#[tokio::test]
async fn unknown_outcome_is_sent_again_with_the_same_authorization() {
    let stand = Stand::open().await;
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    stand.double.script([silence(), silence()]);
    stand.get("/news", Some(&payment)).await;
    stand.double.show(Evidence::Unused { chain_time: NOW });
    stand.clock.advance_ms(1_000);
    stand.paywall.recover().await;
    assert_eq!(stand.double.settles(), 1, "too early to send again");
    stand.clock.advance_ms(5_000);
    stand.paywall.recover().await;
    assert_eq!(stand.double.settles(), 2);
    stand.clock.advance_ms(2_000);
    stand.paywall.recover().await;
    assert_eq!(stand.double.settles(), 2, "pauses grow");
    stand.clock.advance_ms(10_000);
    stand.paywall.recover().await;
    assert_eq!(stand.double.settles(), 3);
    assert_eq!(stand.get("/news", Some(&payment)).await.status, 200);
    assert_eq!(stand.runs(), 1);
}

#[tokio::test]
async fn unknown_outcome_fails_only_by_the_chains_clock() {
    let stand = Stand::open().await;
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    stand.double.script([silence()]);
    stand.get("/news", Some(&payment)).await;
    // Expired here, but the chain has not got there: a broadcast could still land.
    stand.clock.advance_ms(400_000);
    stand.double.show(Evidence::Unused {
        chain_time: NOW + 299,
    });
    stand.paywall.recover().await;
    assert_eq!(
        stand.get("/news", Some(&payment)).await.code(),
        "settlement_pending"
    );
    stand.clock.advance_ms(60_000);
    stand.double.show(Evidence::Unavailable {
        reason: "rpc down".to_owned(),
    });
    stand.paywall.recover().await;
    assert_eq!(
        stand.get("/news", Some(&payment)).await.code(),
        "settlement_pending"
    );
    stand.clock.advance_ms(60_000);
    stand.double.show(Evidence::Unused {
        chain_time: NOW + 301,
    });
    stand.paywall.recover().await;
    let failed = stand.get("/news", Some(&payment)).await;
    assert_eq!(failed.brief(), (402, "payment_expired".to_owned()));
    assert_eq!(stand.double.settles(), 1);
}

#[tokio::test]
async fn cancelled_payment_is_not_served() {
    let stand = Stand::open().await;
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    stand.double.script([silence()]);
    stand.get("/news", Some(&payment)).await;
    stand.clock.advance_ms(2_000);
    stand.double.show(Evidence::Cancelled {
        transaction: "0xcc".to_owned(),
    });
    stand.paywall.recover().await;
    let answer = stand.get("/news", Some(&payment)).await;
    assert_eq!(answer.brief(), (402, "payment_cancelled".to_owned()));
    assert_eq!(answer.json()["charged"], false);
}

#[tokio::test]
async fn settlement_that_vanishes_is_settled_again() {
    let stand = Stand::open().await;
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    assert_eq!(stand.get("/news", Some(&payment)).await.status, 200);
    stand.clock.advance_ms(10_000);
    stand.double.show(Evidence::Unused { chain_time: NOW });
    stand.paywall.recover().await;
    // The receipt was gone; the outcome is open, and the same authorization is sent again.
    stand.clock.advance_ms(10_000);
    stand.paywall.recover().await;
    assert_eq!(stand.double.settles(), 2);
    assert_eq!(stand.get("/news", Some(&payment)).await.status, 200);
    assert_eq!(stand.runs(), 1);
}

#[tokio::test]
async fn start_up_finishes_what_a_dead_process_left() {
    let ledger = Arc::new(MemoryLedger::default());
    let dead = Stand::open_with(ledger.clone(), |builder| builder).await;
    let terms = dead.terms("GET", "/news").await;
    dead.double.script([Script::Hang]);
    let payment = Buyer::new(7).pay(&terms, NOW);
    let app = dead.app.clone();
    let call = tokio::spawn({
        let payment = payment.clone();
        async move { common::shop::send(&app, request("GET", "/news", Some(&payment), "")).await }
    });
    until(|| dead.double.settles() == 1).await;
    let states = |ledger: Arc<MemoryLedger>| async move {
        let due = ledger.due(u64::MAX, 10).await.unwrap();
        due.into_iter()
            .map(|record| record.state)
            .collect::<Vec<_>>()
    };
    assert_eq!(states(ledger.clone()).await, [State::Settling]);
    call.abort();

    let (double, clock) = (Arc::new(common::Double::default()), dead.clock.clone());
    clock.advance_ms(60_000);
    double.show(Evidence::Paid {
        transaction: "0xdd".to_owned(),
        confirmations: 100,
    });
    let builder = common::shop::builder(&double, &clock, ledger.clone()).mount(common::shop::news);
    let next = Stand::of(builder, double, clock).await;
    next.clock.advance_ms(5_000);
    next.paywall.recover().await;
    let answer = next.get("/news", Some(&payment)).await;
    assert_eq!(
        (
            answer.status,
            answer.settlement().unwrap().transaction.as_str()
        ),
        (200, "0xdd")
    );
    assert_eq!((next.runs(), next.double.settles()), (0, 0));
}
