//! The seller's hooks that decide: what they are asked, that a no is a no, and that silence is one too.
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
    reason = "shared with the hooks that are told"
)]
mod witness;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::Method;
use common::buyer::encode;
use common::double::{Script, refusal};
use common::shop::{Shop, request, until};
use common::{Buyer, Change, NOW, PAY_TO, Stand};
use tower::ServiceExt as _;
use witness::{Act, Witness};
use x402_runtime::ledger::{Ledger, MemoryLedger};
use x402_runtime::model::extension::payment_identifier::{PaymentIdentifier, append};
use x402_runtime::{PaymentIds, PaywallBuilder};

const PATH: &str = "/weather/oslo?units=metric";

async fn stand_with(
    change: impl FnOnce(PaywallBuilder<Shop>) -> PaywallBuilder<Shop>,
) -> (Stand, Arc<Witness>, Arc<MemoryLedger>) {
    let (witness, ledger) = (
        Arc::new(Witness::default()),
        Arc::new(MemoryLedger::default()),
    );
    let hooks = Arc::clone(&witness);
    let stand = Stand::open_with(Arc::clone(&ledger) as _, |builder| {
        change(builder.hooks_arc(hooks))
    })
    .await;
    (stand, witness, ledger)
}

async fn stand() -> (Stand, Arc<Witness>, Arc<MemoryLedger>) {
    stand_with(|builder| builder).await
}

async fn assert_nothing_is_recorded(ledger: &MemoryLedger, what: &str) {
    let records = ledger.due(u64::MAX, 10).await.unwrap();
    assert!(records.is_empty(), "{what}: {records:?}");
}

#[tokio::test]
async fn both_are_asked_about_the_call_before_and_after_the_facilitator_is() {
    let (stand, witness, _) = stand().await;
    stand.double.check_first.store(true, Ordering::SeqCst);
    let buyer = Buyer::new(7);
    let payment = buyer.pay(&stand.terms("GET", PATH).await, NOW);
    let answer = stand.call("HEAD", PATH, Some(&payment), "").await;
    assert_eq!(answer.status, 200);
    let seen = witness.seen.lock().unwrap().clone();
    assert_eq!(witness.asked(), ["before_verify", "after_verify"]);
    let paid = stand.get(PATH, Some(&payment)).await;
    for call in &seen {
        assert_eq!(call.endpoint, "weather");
        assert_eq!(
            (&call.method, call.path.as_str()),
            (&Method::HEAD, "/weather/oslo")
        );
        assert_eq!(call.payer, buyer.checksum());
        assert_eq!(call.pay_to, PAY_TO);
        assert_eq!(
            (call.network.as_str(), call.asset.as_str()),
            ("eip155:84532", "USDC")
        );
        assert_eq!(
            (call.amount.as_str(), call.kind.as_str()),
            ("10000", "Eip3009Exact")
        );
        assert_eq!(paid.json()["id"], call.id.as_str());
    }
}

#[tokio::test]
async fn an_unpaid_or_badly_signed_request_asks_and_tells_nobody() {
    let (stand, witness, _) = stand().await;
    assert_eq!(stand.get("/news", None).await.status, 402);
    assert_eq!(stand.get("/news", Some("?")).await.status, 402);
    let terms = stand.terms("GET", "/news").await;
    let change = Change {
        from: Some(Buyer::new(8).address),
        ..Change::default()
    };
    let forged = Buyer::new(7).pay_with(&terms, NOW, &change);
    let answer = stand.get("/news", Some(&forged)).await;
    assert_eq!(answer.code(), "invalid_signature");
    assert!(witness.asked().is_empty());
    assert!(stand.paywall.shutdown().await);
    // The chain was asked about the last one, and it was the payer's for all anybody could tell before.
    assert_eq!(witness.failed().len(), 1);
    assert!(witness.settled().is_empty());
}

#[tokio::test]
async fn a_no_is_403_in_the_sellers_words_and_leaves_nothing_behind() {
    for (before, after, verified) in [(Act::Refuse, Act::Yes, 0), (Act::Yes, Act::Refuse, 1)] {
        let what = format!("{before:?} {after:?}");
        let (stand, witness, ledger) = stand().await;
        stand.double.check_first.store(true, Ordering::SeqCst);
        witness.says(before, after);
        let payment = Buyer::new(7).pay(&stand.terms("GET", PATH).await, NOW);
        let answer = stand.get(PATH, Some(&payment)).await;
        assert_eq!(
            answer.brief(),
            (403, "refused_by_seller".to_owned()),
            "{what}"
        );
        let told = answer.json();
        assert_eq!(
            (&told["charged"], &told["action"]),
            (&false.into(), &"stop".into())
        );
        assert_eq!(told["reason"], "not_for_you_");
        assert_eq!(told["explanation"], "Ask the seller.");
        assert!(answer.headers.get("payment-required").is_none(), "{what}");
        assert!(answer.settlement().is_none(), "{what}");
        stand.assert_untouched(&what);
        assert_eq!(
            stand.double.verified.load(Ordering::SeqCst),
            verified,
            "{what}"
        );
        assert_nothing_is_recorded(&ledger, &what).await;
        // It was not used: the same payment buys, when the seller thinks better of it.
        witness.says(Act::Yes, Act::Yes);
        assert_eq!(stand.get(PATH, Some(&payment)).await.status, 200);
        assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
    }
}

#[tokio::test]
async fn an_error_a_panic_and_silence_are_503_and_never_serve() {
    let acts = [Act::Fail, Act::Panic, Act::PanicAtOnce, Act::Hang];
    let pairs = acts
        .iter()
        .flat_map(|act| [(*act, Act::Yes), (Act::Yes, *act)]);
    for (before, after) in pairs {
        let what = format!("{before:?} {after:?}");
        let (stand, witness, ledger) =
            stand_with(|builder| builder.hook_timeout(Duration::from_millis(100))).await;
        witness.says(before, after);
        let payment = Buyer::new(7).pay(&stand.terms("GET", PATH).await, NOW);
        let answer = stand.get(PATH, Some(&payment)).await;
        assert_eq!(
            answer.brief(),
            (503, "seller_check_failed".to_owned()),
            "{what}"
        );
        let told = answer.json();
        assert_eq!(
            (&told["charged"], &told["action"]),
            (&false.into(), &"wait".into())
        );
        assert!(answer.header("retry-after").is_some(), "{what}");
        answer.assert_no_canary();
        stand.assert_untouched(&what);
        assert_nothing_is_recorded(&ledger, &what).await;
        witness.says(Act::Yes, Act::Yes);
        assert_eq!(stand.get(PATH, Some(&payment)).await.status, 200, "{what}");
    }
}

#[tokio::test]
async fn what_is_paid_is_shown_again_whatever_the_hooks_say_by_now() {
    let (stand, witness, _) = stand_with(|builder| builder.payment_ids(PaymentIds::Optional)).await;
    let buyer = Buyer::new(7);
    let terms = stand.terms("GET", PATH).await;
    let named = || {
        let mut payment = buyer.payment(&terms, NOW, &Change::default());
        let mut extensions = terms.extensions.clone().unwrap();
        let id = PaymentIdentifier::parse("pay_7d5d747be160e280504c099d984bcfe0").unwrap();
        assert!(append(&mut extensions, &id));
        payment["extensions"] = extensions.into();
        encode(&payment)
    };
    let payment = named();
    let first = stand.get(PATH, Some(&payment)).await;
    assert_eq!(first.status, 200);
    for act in [Act::Refuse, Act::Panic] {
        witness.says(act, act);
        assert_eq!(stand.get(PATH, Some(&payment)).await, first);
        // Another payment of the same purchase.
        assert_eq!(stand.get(PATH, Some(&named())).await, first);
    }
    assert_eq!(witness.asked().len(), 2);
    // The same payment for something else is no new question either.
    let other = stand.get("/news", Some(&payment)).await;
    assert_eq!(other.code(), "payment_reused_for_other_request");
    assert_eq!(witness.asked().len(), 2);
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
}

#[tokio::test]
async fn what_is_served_is_settled_without_another_question() {
    let (stand, witness, _) = stand().await;
    stand.double.script([Script::Say(refusal(
        "invalid_exact_evm_insufficient_balance",
    ))]);
    let payment = Buyer::new(7).pay(&stand.terms("GET", PATH).await, NOW);
    let answer = stand.get(PATH, Some(&payment)).await;
    assert_eq!(answer.code(), "settlement_refused");
    witness.says(Act::Refuse, Act::Refuse);
    assert_eq!(stand.get(PATH, Some(&payment)).await.status, 200);
    assert_eq!((stand.runs(), witness.asked().len()), (1, 2));
}

/// "Not charged" would be a lie to a copy of a payment that is being served.
#[tokio::test]
async fn a_copy_of_a_payment_in_flight_is_not_refused_as_uncharged() {
    let (stand, witness, _) = stand().await;
    let stand = Arc::new(stand);
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/behave/wait").await, NOW);
    let call = request("GET", "/behave/wait", Some(&payment), "");
    let first = tokio::spawn(stand.app.clone().oneshot(call));
    until(|| stand.runs() == 1).await;
    witness.says(Act::Refuse, Act::Refuse);
    let copy = stand.get("/behave/wait", Some(&payment)).await;
    assert_eq!(copy.brief(), (409, "payment_in_progress".to_owned()));
    stand.shop.door.add_permits(1);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    assert_eq!(witness.asked().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_copies_are_one_question_one_run_and_one_settlement() {
    let (stand, witness, _) = stand().await;
    let payment = Buyer::new(7).pay(&stand.terms("GET", PATH).await, NOW);
    let copies = (0..64).map(|_| {
        let call = request("GET", PATH, Some(&payment), "");
        tokio::spawn(stand.app.clone().oneshot(call))
    });
    for copy in futures_util::future::join_all(copies).await {
        let status = copy.unwrap().unwrap().status().as_u16();
        assert!(matches!(status, 200 | 409), "{status}");
    }
    assert!(stand.paywall.shutdown().await);
    assert_eq!(witness.asked(), ["before_verify", "after_verify"]);
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
    assert_eq!(witness.settled().len(), 1);
    assert!(witness.failed().is_empty());
}

#[tokio::test]
async fn a_buyer_who_hangs_up_while_a_hook_thinks_changes_nothing() {
    let (stand, witness, _) = stand_with(|b| b.hook_timeout(Duration::from_secs(600))).await;
    witness.says(Act::Wait, Act::Yes);
    let payment = Buyer::new(7).pay(&stand.terms("GET", PATH).await, NOW);
    let call = request("GET", PATH, Some(&payment), "");
    let mut call = Box::pin(stand.app.clone().oneshot(call));
    let _ = futures_util::poll!(&mut call);
    until(|| witness.asked().len() == 1).await;
    drop(call);
    stand.assert_untouched("asked");
    witness.door.0.add_permits(1);
    until(|| stand.double.settles() == 1).await;
    assert!(stand.paywall.shutdown().await);
    assert_eq!((stand.runs(), witness.settled().len()), (1, 1));
}

/// Others may take a reservation back when its lease is over, and must not do so while a hook thinks.
#[tokio::test]
async fn a_reservation_lasts_as_long_as_hooks_may_take() {
    let hours = Duration::from_secs(7_200);
    let (stand, witness, ledger) = stand_with(|builder| builder.hook_timeout(hours)).await;
    witness.says(Act::Yes, Act::Wait);
    let payment = Buyer::new(7).pay(&stand.terms("GET", PATH).await, NOW);
    let call = request("GET", PATH, Some(&payment), "");
    let call = tokio::spawn(stand.app.clone().oneshot(call));
    until(|| witness.asked().len() == 2).await;
    let record = ledger.due(u64::MAX, 1).await.unwrap().remove(0);
    assert!(record.lease_until_ms > (NOW + 2 * 7_200 + 60) * 1_000);
    witness.door.0.add_permits(1);
    assert_eq!(call.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn nothing_that_hooks_see_shows_who_called_or_what_proves_it() {
    let (stand, witness, _) = stand().await;
    let buyer = Buyer::new(7);
    let terms = stand.terms("GET", "/behave/500").await;
    let payment = buyer.payment(&terms, NOW, &Change::default());
    let signature = payment["payload"]["signature"].as_str().unwrap().to_owned();
    let sent = encode(&payment);
    assert_eq!(stand.get("/behave/500", Some(&sent)).await.status, 500);
    assert_eq!(stand.get("/behave/200", Some(&sent)).await.status, 200);
    assert!(stand.paywall.shutdown().await);
    let mut texts: Vec<String> = witness
        .seen
        .lock()
        .unwrap()
        .iter()
        .map(|s| s.debug.clone())
        .collect();
    texts.extend(witness.settled().iter().map(|one| format!("{one:?}")));
    texts.extend(
        witness
            .failures
            .lock()
            .unwrap()
            .iter()
            .map(|one| format!("{one:?}")),
    );
    assert_eq!(texts.len(), 6);
    for text in texts {
        let text = text.to_lowercase();
        for secret in [signature.as_str(), &sent, "/behave", &buyer.checksum()] {
            assert!(!text.contains(&secret.to_lowercase()), "{text}");
        }
        assert!(text.contains("behave") && text.contains("pay_"), "{text}");
    }
}
