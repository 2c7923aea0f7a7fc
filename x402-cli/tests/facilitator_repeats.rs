//! Settling a payment again, over HTTP: one transaction per payment, and a success for one caller only.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests may fail loudly"
)]

#[path = "../../x402-runtime/tests/evm_support/calls.rs"]
mod calls;
#[path = "facilitator_support/server.rs"]
mod server;
#[path = "../../x402-runtime/tests/evm_support/support.rs"]
mod support;

use std::collections::HashSet;
use std::time::Duration;

use calls::submit_as_stranger;
use futures_util::future::{Either, join_all, select};
use serde_json::json;
use server::{ALICE, BOB, Reply, Setup};
use support::{Payment, balance, sandbox};
use x402_cli::facilitator::Repeats;
use x402_runtime::evm::chain::BlockRef;
use x402_runtime::facilitator::http::{BearerToken, HttpFacilitator};
use x402_runtime::facilitator::{Facilitator, SettleOutcome};
use x402_runtime::sandbox::USDC;

const USED: &str = "invalid_exact_evm_nonce_already_used";

fn successes(replies: &[Reply]) -> usize {
    for reply in replies {
        assert_eq!(reply.status, 200, "{reply:?}");
        assert!(reply.success() || reply.code() == USED, "{reply:?}");
    }
    let hashes: HashSet<&str> = replies
        .iter()
        .filter(|reply| reply.success())
        .map(|reply| reply.json["transaction"].as_str().unwrap())
        .collect();
    assert!(hashes.len() <= 1);
    replies.iter().filter(|reply| reply.success()).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f04_a_hundred_concurrent_settles_are_one_transaction_and_one_success() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).with_tokens().start().await;
    let request = Payment::new(&sandbox).request();
    let before = balance(&sandbox, USDC, sandbox.seller());
    let calls =
        (0..100).map(|at| server.settle_as(&request, if at % 2 == 0 { ALICE } else { BOB }, None));
    assert_eq!(successes(&join_all(calls).await), 1);
    assert_eq!(server.sent(), 1);
    assert_eq!(balance(&sandbox, USDC, sandbox.seller()), before + 10_000);
    let later = [
        server.settle_as(&request, ALICE, None).await,
        server.settle_as(&request, BOB, None).await,
    ];
    assert_eq!(successes(&later), 0, "later copies neither");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f04_with_a_key_the_success_is_one_callers_and_can_be_asked_for_again() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).with_tokens().start().await;
    let request = Payment::new(&sandbox).request();
    let first = server.settle_as(&request, ALICE, Some("order-7")).await;
    assert!(first.success());
    let calls = (0..100).map(|at| match at % 4 {
        0 => server.settle_as(&request, ALICE, Some("order-7")),
        1 => server.settle_as(&request, BOB, Some("order-7")),
        2 => server.settle_as(&request, ALICE, Some("order-8")),
        _ => server.settle_as(&request, ALICE, None),
    });
    let replies = join_all(calls).await;
    assert_eq!(successes(&replies), 25);
    for (at, reply) in replies.iter().enumerate() {
        assert_eq!(reply.success(), at % 4 == 0, "call {at}");
        assert!(!reply.success() || reply.json == first.json);
    }
    assert_eq!(server.sent(), 1);
}

#[tokio::test]
async fn f04_the_rule_for_repeats_is_the_operators() {
    for (rule, keyed, without) in [
        (Repeats::Keyed, true, false),
        (Repeats::Never, false, false),
        (Repeats::Always, true, true),
    ] {
        let (sandbox, _) = sandbox();
        let mut setup = Setup::on(&sandbox).with_tokens();
        setup.options.repeats = rule;
        let server = setup.start().await;
        for (key, again) in [(Some("k"), keyed), (None, without)] {
            let request = Payment::new(&sandbox).request();
            assert!(server.settle_as(&request, ALICE, key).await.success());
            assert_eq!(
                server.settle_as(&request, ALICE, key).await.success(),
                again,
                "{rule} {key:?}"
            );
        }
        assert_eq!(server.sent(), 2);
    }
}

#[tokio::test]
async fn s01_an_open_outcome_is_pending_with_its_transaction_and_a_repeat_waits_again() {
    for key in [None, Some("order-7")] {
        let (sandbox, _) = sandbox();
        let server = Setup::impatient(&sandbox).start().await;
        sandbox.set_automine(false);
        let request = Payment::new(&sandbox).request();
        let first = server.settle_as(&request, ALICE, key).await;
        let hash = first.json["transaction"].clone();
        let expected = json!({
            "success": false, "errorReason": "settlement_pending", "payer": sandbox.payer().to_string(),
            "transaction": hash, "network": "eip155:84532",
        });
        assert_eq!((first.status, &first.json), (200, &expected));
        assert_eq!(hash.as_str().unwrap().len(), 66);
        assert_eq!(
            server.settle_as(&request, ALICE, key).await.json,
            expected,
            "still open"
        );
        sandbox.set_automine(true);
        sandbox.mine();
        let settled = server.settle_as(&request, ALICE, key).await;
        assert!(
            settled.success() && settled.json["transaction"] == hash,
            "{settled:?}"
        );
        assert!(!server.settle_as(&request, BOB, key).await.success());
        assert_eq!(
            server.settle_as(&request, ALICE, key).await.success(),
            key.is_some()
        );
        assert_eq!(server.sent(), 1);
    }
}

#[tokio::test]
async fn s01_a_caller_that_hung_up_is_told_when_it_asks_again() {
    let (sandbox, _) = sandbox();
    let mut setup = Setup::on(&sandbox).with_tokens();
    setup.options.limits.max_in_flight = 1;
    let server = setup.start().await;
    sandbox.set_automine(false);
    let chain = sandbox.chain();
    let request = Payment::new(&sandbox).request();
    {
        let mut call = std::pin::pin!(server.settle_as(&request, ALICE, None));
        // Until the transaction is sent; then the caller is gone.
        loop {
            let pause = std::pin::pin!(tokio::time::sleep(Duration::from_millis(5)));
            if let Either::Left((reply, _)) = select(call.as_mut(), pause).await {
                panic!("{reply:?}");
            }
            let sent = chain.transaction_count(sandbox.settler(), BlockRef::Pending);
            if sent.await.unwrap() == 1 {
                break;
            }
        }
    }
    // Its place is free again when the server has noticed.
    let bearer = format!("Bearer {BOB}");
    let headers = [("authorization", bearer.as_str())];
    while server.post("verify", "{}", &headers).await.code() == "busy" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    sandbox.set_automine(true);
    sandbox.mine();
    assert!(server.settle_as(&request, ALICE, None).await.success());
    assert!(!server.settle_as(&request, ALICE, None).await.success());
    assert_eq!(server.sent(), 1);
}

#[tokio::test]
async fn our_own_gates_client_gets_its_success_again_after_a_lost_answer() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).with_tokens().start().await;
    let seller = |token| {
        let auth = BearerToken::from_token(token).unwrap();
        HttpFacilitator::builder(&server.url)
            .auth(auth)
            .build()
            .unwrap()
    };
    let (mine, other) = (seller(ALICE), seller(BOB));
    let request = Payment::new(&sandbox).request();
    assert!(mine.verify(&request).await.unwrap().is_valid);
    let first = support::settled(mine.settle(&request).await);
    // The answer was lost; after a restart of the seller the client is another object.
    let again = support::settled(seller(ALICE).settle(&request).await);
    assert_eq!(first, again);
    assert!(matches!(
        other.settle(&request).await,
        SettleOutcome::Unknown { .. }
    ));
    assert_eq!(server.sent(), 1);
    assert!(
        mine.supported()
            .await
            .unwrap()
            .supports(2, "exact", "eip155:84532")
    );
}

#[tokio::test]
async fn f06_a_stranger_who_submits_first_has_paid_for_a_caller_with_a_key() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).with_tokens().start().await;
    let payment = Payment::new(&sandbox);
    let theirs = submit_as_stranger(&sandbox, &payment).to_string();
    let settled = server.settle_as(&payment.request(), ALICE, Some("k")).await;
    assert!(settled.success() && settled.json["transaction"] == theirs);
    // Without a key nobody can tell whether somebody else has been told already, by an earlier process.
    let payment = Payment::new(&sandbox);
    submit_as_stranger(&sandbox, &payment);
    assert_eq!(
        server
            .settle_as(&payment.request(), ALICE, None)
            .await
            .code(),
        USED
    );
    assert_eq!(server.sent(), 0);
}

#[tokio::test]
async fn f04_while_the_outcome_is_open_nobody_else_hears_a_success() {
    let (sandbox, _) = sandbox();
    let mut setup = Setup::impatient(&sandbox);
    setup.config.abandon_after = Duration::from_millis(150);
    let server = setup.start().await;
    sandbox.set_automine(false);
    let payment = Payment::new(&sandbox);
    let request = payment.request();
    let first = server.settle_as(&request, ALICE, None).await;
    assert_eq!(first.code(), "settlement_pending");
    // The settler has given the transaction up, so that another call could send one of its own.
    tokio::time::sleep(Duration::from_millis(400)).await;
    for key in [None, Some("k")] {
        let theirs = server.settle_as(&request, BOB, key).await;
        assert_eq!(theirs.code(), "settlement_pending");
        assert_eq!(theirs.json["transaction"], first.json["transaction"]);
    }
    sandbox.set_automine(true);
    sandbox.mine();
    let mut told = server.settle_as(&request, ALICE, None).await;
    while told.code() == "settlement_pending" {
        told = server.settle_as(&request, ALICE, None).await;
    }
    assert!(told.success(), "{told:?}");
    for (token, key) in [(ALICE, None), (BOB, None), (BOB, Some("k"))] {
        assert_eq!(server.settle_as(&request, token, key).await.code(), USED);
    }
    assert_eq!(balance(&sandbox, USDC, sandbox.seller()), 1_000_010_000);
}

#[tokio::test]
async fn f04_a_payment_of_an_earlier_process_is_no_success_however_often_and_oddly_it_is_asked_for()
{
    let (sandbox, _) = sandbox();
    let request = Payment::new(&sandbox).request();
    let before = Setup::on(&sandbox).with_tokens().start().await;
    assert!(before.settle_as(&request, ALICE, None).await.success());
    let server = Setup::on(&sandbox).with_tokens().start().await;
    sandbox.set_unreachable(true);
    assert_eq!(server.settle_as(&request, ALICE, None).await.status, 503);
    sandbox.set_unreachable(false);
    for _ in 0..2 {
        assert_eq!(server.settle_as(&request, ALICE, None).await.code(), USED);
    }
    // Who has a ledger may ask again.
    assert!(server.settle_as(&request, ALICE, Some("k")).await.success());
    assert_eq!(server.sent(), 1);
}
