//! The seller's hooks that are told: of every settlement, of every failure, and without a say in either.
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
#[path = "common/witness.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the hooks that decide"
)]
mod witness;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use common::double::{Script, refusal, silence};
use common::shop::{Shop, until};
use common::{Buyer, Change, NOW, PAY_TO, Stand};
use witness::{Act, Witness};
use x402_runtime::PaywallBuilder;
use x402_runtime::facilitator::{Evidence, FacilitatorError};
use x402_runtime::hooks::Stage;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::model::wire::VerifyResponse;

async fn stand_on(
    ledger: Arc<MemoryLedger>,
    change: impl FnOnce(PaywallBuilder<Shop>) -> PaywallBuilder<Shop>,
) -> (Stand, Arc<Witness>) {
    let witness = Arc::new(Witness::default());
    let hooks = Arc::clone(&witness);
    let stand = Stand::open_with(ledger, |builder| change(builder.hooks(hooks))).await;
    (stand, witness)
}

async fn stand() -> (Stand, Arc<Witness>) {
    stand_on(Arc::default(), |builder| builder).await
}

async fn pay(stand: &Stand, path: &str) -> common::Answer {
    let payment = Buyer::new(7).pay(&stand.terms("GET", path).await, stand.now());
    stand.get(path, Some(&payment)).await
}

fn paid() -> Evidence {
    Evidence::Paid {
        transaction: "0x".to_owned() + &"cd".repeat(32),
        confirmations: 1,
    }
}

#[tokio::test]
async fn a_settlement_is_told_with_its_facts() {
    let (stand, witness) = stand().await;
    let answer = pay(&stand, "/weather/oslo").await;
    assert_eq!(answer.status, 200);
    until(|| !witness.settled().is_empty()).await;
    let told = witness.settled().remove(0);
    assert_eq!(&*told.endpoint, "weather");
    assert_eq!(answer.json()["id"], told.payment_id.as_str());
    assert_eq!(told.payer, Buyer::new(7).address);
    assert_eq!(told.network.to_string(), "eip155:84532");
    assert_eq!(told.amount.to_string(), "10000");
    assert_eq!(told.pay_to.to_string(), PAY_TO);
    assert_eq!(told.transaction, answer.settlement().unwrap().transaction);
    assert!(witness.failed().is_empty());
}

#[tokio::test]
async fn hooks_that_are_told_change_neither_answer_nor_charge() {
    for act in [Act::Fail, Act::Panic, Act::PanicAtOnce, Act::Hang] {
        let (stand, witness) = stand_on(Arc::default(), |builder| {
            builder.hook_timeout(Duration::from_millis(50))
        })
        .await;
        *witness.told.lock().unwrap() = act;
        let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
        let answer = stand.get("/news", Some(&payment)).await;
        assert_eq!(
            (answer.status, &answer.body[..]),
            (200, &b"news"[..]),
            "{act:?}"
        );
        assert!(answer.settlement().unwrap().success, "{act:?}");
        assert_eq!(stand.get("/news", Some(&payment)).await, answer, "{act:?}");
        let failed = pay(&stand, "/behave/418").await;
        assert_eq!(
            (failed.status, &failed.body[..]),
            (418, &b"the handler's own words"[..])
        );
        failed.assert_no_canary();
        // Shutdown waits for them, for no longer than they may take.
        assert!(stand.paywall.shutdown().await, "{act:?}");
        assert_eq!(witness.settled().len(), 1, "{act:?}");
        assert_eq!(witness.failed().len(), 1, "{act:?}");
        assert_eq!((stand.runs(), stand.double.settles()), (2, 1), "{act:?}");
    }
}

/// A hook that never ends holds up nobody's answer, and shutdown waits for one that is at work.
#[tokio::test]
async fn an_answer_does_not_wait_for_what_is_told_and_shutdown_does() {
    let (stand, witness) = stand_on(Arc::default(), |builder| {
        builder.hook_timeout(Duration::from_secs(600))
    })
    .await;
    *witness.told.lock().unwrap() = Act::Wait;
    assert_eq!(pay(&stand, "/news").await.status, 200);
    let paywall = stand.paywall.clone();
    let shutdown = tokio::spawn(async move { paywall.shutdown().await });
    until(|| stand.paywall.endpoints().len() == 4 && witness.settled().is_empty()).await;
    assert!(!shutdown.is_finished());
    witness.door.0.add_permits(1);
    assert!(shutdown.await.unwrap());
    assert_eq!(witness.settled().len(), 1);
}

#[tokio::test]
async fn every_failure_is_told_where_it_happened_and_why() {
    let (stand, witness) = stand_on(Arc::default(), |builder| {
        builder
            .handler_timeout(Duration::from_millis(200))
            .answer_cap(1_024)
    })
    .await;
    let expect = |stage, code, reason: Option<&str>| (stage, code, reason.map(str::to_owned));
    let check = |told: (Stage, &'static str, Option<String>)| {
        let witness = Arc::clone(&witness);
        async move {
            until(|| !witness.failed().is_empty()).await;
            assert_eq!(witness.failed(), [told]);
            let failure = witness.failures.lock().unwrap().remove(0);
            assert_eq!(failure.payer, Buyer::new(7).address);
            assert_eq!(failure.network.to_string(), "eip155:84532");
            assert_eq!(failure.amount.to_string(), "10000");
        }
    };
    for (how, code, reason) in [
        ("500", "handler_failed", Some("500")),
        ("402", "handler_failed", Some("402")),
        ("panic", "handler_panicked", None),
        ("hang", "handler_timeout", None),
        ("huge", "answer_too_large", None),
    ] {
        pay(&stand, &format!("/behave/{how}")).await;
        check(expect(Stage::Serve, code, reason)).await;
    }
    witness.says(Act::Refuse, Act::Yes);
    pay(&stand, "/news").await;
    check(expect(
        Stage::Hook,
        "refused_by_seller",
        Some("not_for_you_"),
    ))
    .await;
    witness.says(Act::Yes, Act::Panic);
    pay(&stand, "/news").await;
    check(expect(Stage::Hook, "seller_check_failed", None)).await;
    witness.says(Act::Yes, Act::Yes);

    let nonce = "invalid_exact_evm_nonce_already_used";
    stand.double.refuse_check(nonce);
    pay(&stand, "/news").await;
    check(expect(Stage::Verify, "nonce_already_used", Some(nonce))).await;
    *stand.double.verdict.lock().unwrap() = Err(FacilitatorError::Timeout);
    pay(&stand, "/news").await;
    check(expect(Stage::Verify, "facilitator_unavailable", None)).await;
    *stand.double.verdict.lock().unwrap() = Ok(VerifyResponse {
        is_valid: true,
        ..VerifyResponse::default()
    });

    let poor = "invalid_exact_evm_insufficient_balance";
    stand.double.script([Script::Say(refusal(poor))]);
    pay(&stand, "/news").await;
    check(expect(Stage::Settle, "settlement_refused", Some(poor))).await;
    stand.double.script([silence()]);
    pay(&stand, "/news").await;
    check(expect(Stage::Settle, "settlement_pending", None)).await;
    assert!(witness.settled().is_empty());
}

#[tokio::test]
async fn a_contract_that_does_not_approve_is_a_failure_to_verify() {
    let (stand, witness) = stand().await;
    stand.double.contract.store(true, Ordering::SeqCst);
    stand.double.refuse_check("invalid_exact_evm_signature");
    let change = Change {
        from: Some(Buyer::new(8).address),
        ..Change::default()
    };
    let terms = stand.terms("GET", "/news").await;
    let payment = Buyer::new(7).pay_with(&terms, NOW, &change);
    assert_eq!(
        stand.get("/news", Some(&payment)).await.code(),
        "invalid_signature"
    );
    until(|| !witness.failed().is_empty()).await;
    assert_eq!(witness.failed()[0].0, Stage::Verify);
    assert!(witness.asked().is_empty());
}

#[tokio::test]
async fn what_the_resolver_settles_is_told_once() {
    let (stand, witness) = stand().await;
    stand.double.script([silence()]);
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    let answer = stand.get("/news", Some(&payment)).await;
    assert_eq!(answer.code(), "settlement_pending");
    // Further presentations are nothing new.
    assert_eq!(
        stand.get("/news", Some(&payment)).await.code(),
        "settlement_pending"
    );
    stand.double.show(paid());
    for _ in 0..3 {
        stand.clock.advance_ms(5_000);
        stand.paywall.recover().await;
    }
    assert_eq!(stand.get("/news", Some(&payment)).await.status, 200);
    assert!(stand.paywall.shutdown().await);
    assert_eq!(witness.settled().len(), 1);
    assert_eq!(witness.failed().len(), 1);
}

#[tokio::test]
async fn what_can_never_be_charged_any_more_is_told() {
    for (evidence, code) in [
        (
            Evidence::Unused {
                chain_time: NOW + 400,
            },
            "payment_expired",
        ),
        (
            Evidence::Cancelled {
                transaction: "0x".to_owned() + &"ef".repeat(32),
            },
            "payment_cancelled",
        ),
    ] {
        let (stand, witness) = stand().await;
        stand.double.script([silence()]);
        pay(&stand, "/news").await;
        until(|| witness.failed().len() == 1).await;
        let ended = code == "payment_expired";
        stand.clock.advance_ms(if ended { 400_000 } else { 5_000 });
        stand.double.show(evidence);
        stand.paywall.recover().await;
        until(|| witness.failed().len() == 2).await;
        assert_eq!(
            (witness.failed()[1].0, witness.failed()[1].1),
            (Stage::Settle, code)
        );
        assert!(witness.settled().is_empty());
    }
}

/// A process that is killed after the settlement was recorded and before its hook ran.
#[tokio::test]
async fn a_settlement_of_a_process_that_is_gone_is_told_by_the_next() {
    let ledger = Arc::new(MemoryLedger::default());
    let gone = Stand::open_with(Arc::clone(&ledger) as _, |builder| builder).await;
    assert_eq!(pay(&gone, "/news").await.status, 200);
    drop(gone);
    let (stand, witness) = stand_on(ledger, |builder| builder).await;
    until(|| witness.settled().len() == 1).await;
    stand.double.show(paid());
    for _ in 0..3 {
        stand.clock.advance_ms(5_000);
        stand.paywall.recover().await;
    }
    assert!(stand.paywall.shutdown().await);
    assert_eq!(witness.settled().len(), 1);
}

#[tokio::test]
async fn a_settlement_that_left_the_chain_is_told_again() {
    let (stand, witness) = stand().await;
    assert_eq!(pay(&stand, "/news").await.status, 200);
    until(|| witness.settled().len() == 1).await;
    stand.double.show(Evidence::Unused { chain_time: NOW });
    stand.clock.advance_ms(5_000);
    stand.paywall.recover().await;
    until(|| witness.failed().len() == 1).await;
    assert_eq!(witness.failed()[0].1, "settlement_pending");
    stand.double.show(paid());
    stand.clock.advance_ms(60_000);
    stand.paywall.recover().await;
    until(|| witness.settled().len() == 2).await;
    let told = witness.settled();
    assert_eq!(told[0].payment_id, told[1].payment_id);
}

/// They are bounded; what does not fit is dropped, and a settlement is told later.
#[tokio::test]
async fn hooks_that_are_busy_hear_of_settlements_later() {
    const MORE_THAN_FIT: usize = 300;
    let (stand, witness) = stand_on(Arc::default(), |builder| {
        builder.hook_timeout(Duration::from_secs(600))
    })
    .await;
    *witness.told.lock().unwrap() = Act::Wait;
    let terms = stand.terms("GET", "/news").await;
    for _ in 0..MORE_THAN_FIT {
        let payment = Buyer::new(7).pay(&terms, NOW);
        assert_eq!(stand.get("/news", Some(&payment)).await.status, 200);
    }
    witness.door.0.add_permits(MORE_THAN_FIT);
    until(|| witness.settled().len() >= 256).await;
    stand.double.show(paid());
    // A look reads a bounded number of payments.
    for _ in 0..10 {
        stand.clock.advance_ms(5_000);
        stand.paywall.recover().await;
    }
    until(|| witness.settled().len() == MORE_THAN_FIT).await;
    assert!(stand.paywall.shutdown().await);
    let ids: BTreeSet<String> = witness
        .settled()
        .iter()
        .map(|one| one.payment_id.to_string())
        .collect();
    assert_eq!(ids.len(), MORE_THAN_FIT);
}
