//! Settlement under attack: cancelled and stolen authorizations, greedy tokens, concurrent and changed requests.
#![cfg(feature = "sandbox")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests may fail loudly"
)]

#[path = "evm_support/calls.rs"]
mod calls;
#[path = "evm_support/support.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::U256;
use calls::{set_appetite, submit_as_stranger};
use support::{
    Payment, balance, odd_payment, odd_token, refused, sandbox, settled, unknown, verify_code,
};
use x402_runtime::evm::{EvmConfig, EvmFacilitator, Repeat};
use x402_runtime::facilitator::{Facilitator, SettleOutcome};
use x402_runtime::sandbox::{Sandbox, USDC};

const USED: &str = "invalid_exact_evm_nonce_already_used";

/// A facilitator whose callers do not wait long, while its transactions wait for `mine`.
fn impatient(sandbox: &Sandbox) -> EvmFacilitator {
    let mut config = EvmConfig::sandbox();
    config.settle_timeout = Duration::from_millis(60);
    config.stall_after = Duration::from_secs(60);
    sandbox.facilitator_with(config)
}

/// Starts a settlement that stays in the pool.
async fn left_pending(
    sandbox: &Sandbox,
    facilitator: &EvmFacilitator,
    payment: &Payment,
) -> String {
    sandbox.set_automine(false);
    unknown(facilitator.settle(&payment.request()).await).unwrap()
}

#[tokio::test]
async fn g02_cancelling_between_verify_and_settle_pays_nothing_and_says_so() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let payment = Payment::new(&sandbox);
    assert_eq!(verify_code(&*facilitator, &payment).await, None);
    sandbox
        .cancel_authorization(USDC, &payment.payer, payment.nonce)
        .unwrap();
    assert_eq!(refused(facilitator.settle(&payment.request()).await), USED);
}

#[tokio::test]
async fn g02_cancelling_between_broadcast_and_block_pays_nothing_and_says_so() {
    let (sandbox, _) = sandbox();
    let facilitator = impatient(&sandbox);
    let payment = Payment::new(&sandbox);
    left_pending(&sandbox, &facilitator, &payment).await;
    sandbox
        .cancel_authorization(USDC, &payment.payer, payment.nonce)
        .unwrap();
    sandbox.mine();
    assert_eq!(refused(facilitator.settle(&payment.request()).await), USED);
}

#[tokio::test]
async fn f03_a_gas_guzzling_token_is_not_fed() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let token = odd_token(&sandbox, "GasGuzzlerToken");
    set_appetite(&sandbox, token, 3_000_000);
    let payment = odd_payment(&sandbox, token);
    let code = verify_code(&*facilitator, &payment).await;
    assert_eq!(
        code.as_deref(),
        Some("invalid_exact_evm_transaction_simulation_failed")
    );
    assert_eq!(
        refused(facilitator.settle(&payment.request()).await),
        "settlement_gas_above_cap"
    );
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 0);
}

#[tokio::test]
async fn f03_an_appetite_that_grows_after_the_estimate_costs_no_more_than_the_limit() {
    let (sandbox, _) = sandbox();
    let facilitator = impatient(&sandbox);
    let token = odd_token(&sandbox, "GasGuzzlerToken");
    let payment = odd_payment(&sandbox, token);
    let purse = sandbox.native_balance(sandbox.settler());
    left_pending(&sandbox, &facilitator, &payment).await;
    set_appetite(&sandbox, token, 3_000_000);
    sandbox.mine();
    let code = refused(facilitator.settle(&payment.request()).await);
    assert!(
        code == "invalid_exact_evm_transaction_failed" || code == "settlement_gas_above_cap",
        "{code}"
    );
    let spent = purse - sandbox.native_balance(sandbox.settler());
    assert!(spent < U256::from(500_000_u64 * 30_000_000), "{spent}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f04_a_hundred_concurrent_settles_are_one_transaction_with_one_outcome() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let payment = Payment::new(&sandbox);
    let before = balance(&sandbox, USDC, sandbox.seller());
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let (facilitator, request) = (Arc::clone(&facilitator), payment.request());
            tokio::spawn(async move { facilitator.settle(&request).await })
        })
        .collect();
    let mut transactions = std::collections::HashSet::new();
    for task in tasks {
        transactions.insert(settled(task.await.unwrap()).transaction);
    }
    assert_eq!(transactions.len(), 1);
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 1);
    assert_eq!(balance(&sandbox, USDC, sandbox.seller()), before + 10_000);
}

#[tokio::test]
async fn f04_without_repeats_one_payment_is_one_success() {
    let (sandbox, _) = sandbox();
    let mut config = EvmConfig::sandbox();
    config.repeat_is_success = false;
    let facilitator = sandbox.facilitator_with(config);
    let payment = Payment::new(&sandbox);
    let request = payment.request();
    let outcomes =
        futures_util::future::join_all((0..20).map(|_| facilitator.settle(&request))).await;
    let successes = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, SettleOutcome::Settled(_)))
        .count();
    assert_eq!(successes, 1);
    assert_eq!(refused(facilitator.settle(&request).await), USED);
}

#[tokio::test]
async fn f04_each_call_may_say_what_it_hears_of_a_payment_that_was_settled() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    for (repeat, during, after) in [
        (Repeat::Success, 20, true),
        (Repeat::Joined, 20, false),
        (Repeat::Refused, 1, false),
    ] {
        let request = Payment::new(&sandbox).request();
        let calls = (0..20).map(|_| facilitator.settle_as(&request, repeat));
        let outcomes = futures_util::future::join_all(calls).await;
        let settled = |outcome: &SettleOutcome| matches!(outcome, SettleOutcome::Settled(_));
        let successes = outcomes.iter().filter(|outcome| settled(outcome)).count();
        assert_eq!(successes, during, "{repeat:?}");
        let later = facilitator.settle_as(&request, repeat).await;
        assert_eq!(settled(&later), after, "{repeat:?}");
    }
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 3);
}

#[tokio::test]
async fn f06_a_stranger_who_submits_first_has_paid_for_the_buyer() {
    let (sandbox, _) = sandbox();
    let payment = Payment::new(&sandbox);
    let theirs = submit_as_stranger(&sandbox, &payment);
    let response = settled(sandbox.facilitator().settle(&payment.request()).await);
    assert_eq!(response.transaction, theirs.to_string());
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 0);
}

#[tokio::test]
async fn f06_a_stranger_who_wins_the_race_has_paid_for_the_buyer() {
    let (sandbox, _) = sandbox();
    let facilitator = impatient(&sandbox);
    let payment = Payment::new(&sandbox);
    let ours = left_pending(&sandbox, &facilitator, &payment).await;
    let theirs = submit_as_stranger(&sandbox, &payment).to_string();
    sandbox.mine();
    let response = settled(facilitator.settle(&payment.request()).await);
    assert_eq!(response.transaction, theirs);
    assert_ne!(response.transaction, ours);
}

#[tokio::test]
async fn f07_two_payers_may_use_the_same_nonce() {
    let (sandbox, _) = sandbox();
    let [_, _, _, other, ..] = sandbox.accounts();
    let first = Payment::new(&sandbox);
    let second = Payment {
        payer: other.clone(),
        from: other.address(),
        ..first.clone()
    };
    let facilitator = sandbox.facilitator();
    let (first, second) = (first.request(), second.request());
    let (a, b) = tokio::join!(facilitator.settle(&first), facilitator.settle(&second));
    assert_ne!(settled(a).transaction, settled(b).transaction);
}

#[tokio::test]
async fn f08_a_changed_field_is_not_answered_with_another_requests_outcome() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let first = Payment::new(&sandbox);
    let second = Payment {
        to: sandbox.settler(),
        ..first.clone()
    };
    let (a, b) = (first.request(), second.request());
    let (a, b) = tokio::join!(facilitator.settle(&a), facilitator.settle(&b));
    settled(a);
    assert_eq!(refused(b), USED);
    let unsigned = Payment {
        signature: Some(first.signature()),
        ..second
    };
    assert_eq!(
        refused(facilitator.settle(&unsigned.request()).await),
        "invalid_exact_evm_signature"
    );
}
