//! Threats to settlement: lost answers, cancelled and stolen authorizations, odd tokens, concurrency, gas.

#![cfg(feature = "sandbox")]

#[path = "evm_support/calls.rs"]
mod calls;
#[path = "evm_support/support.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::U256;
use calls::{set_appetite, set_lie, submit_as_stranger};
use support::{NOW, Payment, balance, odd_payment, odd_token, refused, sandbox, settled, unknown, verify_code};
use x402_runtime::evm::{EvmConfig, EvmFacilitator};
use x402_runtime::facilitator::{Evidence, Facilitator, SettleOutcome};
use x402_runtime::sandbox::{Sandbox, SendFault, USDC};

const USED: &str = "invalid_exact_evm_nonce_already_used";
const MISMATCH: &str = "invalid_exact_evm_transfer_event_mismatch";

/// A facilitator whose callers do not wait long, while its transactions wait for `mine`.
fn impatient(sandbox: &Sandbox) -> EvmFacilitator {
    let mut config = EvmConfig::sandbox();
    config.settle_timeout = Duration::from_millis(60);
    config.stall_after = Duration::from_secs(60);
    sandbox.facilitator_with(config)
}

/// Starts a settlement that stays in the pool.
async fn left_pending(sandbox: &Sandbox, facilitator: &EvmFacilitator, payment: &Payment) -> String {
    sandbox.set_automine(false);
    unknown(facilitator.settle(&payment.request()).await).unwrap()
}

#[tokio::test]
async fn s01_a_lost_answer_is_never_a_failure_and_moves_money_once() {
    for fault in [SendFault::LoseAnswer, SendFault::LoseRequest, SendFault::Swallow, SendFault::Delay(Duration::from_millis(50))] {
        let (sandbox, _) = sandbox();
        let before = balance(&sandbox, USDC, sandbox.seller());
        let payment = Payment::new(&sandbox);
        sandbox.fail_next_send(fault.clone());
        settled(sandbox.facilitator().settle(&payment.request()).await);
        assert_eq!(balance(&sandbox, USDC, sandbox.seller()), before + 10_000, "{fault:?}");
        assert_eq!(sandbox.transaction_count(sandbox.settler()), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn s01_a_dead_chain_is_unknown_and_evidence_is_unavailable() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let payment = Payment::new(&sandbox);
    sandbox.set_unreachable(true);
    assert!(facilitator.verify(&payment.request()).await.is_err());
    assert_eq!(unknown(facilitator.settle(&payment.request()).await), None);
    assert!(matches!(facilitator.evidence(&payment.reference()).await, Evidence::Unavailable { .. }));
    sandbox.set_unreachable(false);
    settled(facilitator.settle(&payment.request()).await);
}

#[tokio::test]
async fn s02_a_cancelled_nonce_is_not_paid() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let payment = Payment::new(&sandbox);
    sandbox.cancel_authorization(USDC, &payment.payer, payment.nonce).unwrap();
    assert_eq!(verify_code(&*facilitator, &payment).await.as_deref(), Some(USED));
    assert_eq!(refused(facilitator.settle(&payment.request()).await), USED);
    assert!(matches!(facilitator.evidence(&payment.reference()).await, Evidence::Cancelled { .. }));
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 0, "a replayed authorization must not burn gas");
}

#[tokio::test]
async fn s03_an_unused_nonce_says_nothing_while_a_broadcast_is_in_flight() {
    let (sandbox, _) = sandbox();
    let facilitator = impatient(&sandbox);
    let payment = Payment::new(&sandbox);
    let hash = left_pending(&sandbox, &facilitator, &payment).await;
    let evidence = facilitator.evidence(&payment.reference()).await;
    // The chain's time is told with it: before `validBefore` nobody may call this a failure.
    assert_eq!(evidence, Evidence::Unused { chain_time: NOW });
    sandbox.mine();
    let evidence = facilitator.evidence(&payment.reference()).await;
    assert_eq!(evidence, Evidence::Paid { transaction: hash, confirmations: 1 });
}

#[tokio::test]
async fn s04_a_token_that_is_silent_about_a_used_nonce_is_not_paid_twice() {
    let (sandbox, _) = sandbox();
    let facilitator = impatient(&sandbox);
    let token = odd_token(&sandbox, "SilentNonceToken");
    let payment = odd_payment(&sandbox, token);
    left_pending(&sandbox, &facilitator, &payment).await;
    sandbox.cancel_authorization(token, &payment.payer, payment.nonce).unwrap();
    sandbox.mine();
    // The transaction succeeds and moves nothing.
    assert_eq!(refused(sandbox.facilitator().settle(&payment.request()).await), USED);
    assert_eq!(verify_code(&facilitator, &payment).await.as_deref(), Some(USED));
    assert_eq!(balance(&sandbox, token, sandbox.seller()), 0);
}

#[tokio::test]
async fn s05_a_fee_on_transfer_is_not_the_agreed_amount() {
    let (sandbox, _) = sandbox();
    let token = odd_token(&sandbox, "FeeOnTransferToken");
    let payment = odd_payment(&sandbox, token);
    assert_eq!(refused(sandbox.facilitator().settle(&payment.request()).await), MISMATCH);
    let evidence = sandbox.facilitator().evidence(&payment.reference()).await;
    assert!(matches!(evidence, Evidence::Mismatch { .. }), "{evidence:?}");
}

#[tokio::test]
async fn s05_no_lie_in_a_transfer_event_is_believed() {
    let (sandbox, _) = sandbox();
    let token = odd_token(&sandbox, "LyingToken");
    for lie in 0..4 {
        set_lie(&sandbox, token, lie);
        let payment = odd_payment(&sandbox, token);
        let outcome = sandbox.facilitator().settle(&payment.request()).await;
        assert_eq!(refused(outcome), MISMATCH, "lie {lie}");
    }
}

#[tokio::test]
async fn s06_evidence_follows_a_reorganisation() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let payment = Payment::new(&sandbox);
    let response = settled(facilitator.settle(&payment.request()).await);
    let mut reference = payment.reference();
    reference.transaction = Some(response.transaction);
    assert!(matches!(facilitator.evidence(&reference).await, Evidence::Paid { confirmations: 1, .. }));
    sandbox.mine_blocks(3);
    assert!(matches!(facilitator.evidence(&reference).await, Evidence::Paid { confirmations: 4, .. }));
    sandbox.reorg(4);
    assert!(matches!(facilitator.evidence(&reference).await, Evidence::Unused { .. }));
}

#[tokio::test]
async fn s07_a_failed_send_consumes_no_account_nonce() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    settled(facilitator.settle(&Payment::new(&sandbox).request()).await);
    let payment = Payment::new(&sandbox);
    for _ in 0..3 {
        sandbox.fail_next_send(SendFault::Refuse("txpool is full".into()));
        assert_eq!(refused(facilitator.settle(&payment.request()).await), "invalid_exact_evm_transaction_failed");
    }
    settled(facilitator.settle(&payment.request()).await);
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 2);
}

#[tokio::test]
async fn s07_faults_among_concurrent_sends_leave_no_gap() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let before = balance(&sandbox, USDC, sandbox.seller());
    for fault in [SendFault::LoseRequest, SendFault::LoseAnswer, SendFault::Swallow, SendFault::LoseRequest] {
        sandbox.fail_next_send(fault);
    }
    let payments: Vec<Payment> = (0..24).map(|_| Payment::new(&sandbox)).collect();
    let settle = payments.iter().map(|payment| {
        let (facilitator, request) = (Arc::clone(&facilitator), payment.request());
        tokio::spawn(async move { facilitator.settle(&request).await })
    });
    let tasks: Vec<_> = settle.collect();
    for task in tasks {
        settled(task.await.unwrap());
    }
    assert_eq!(balance(&sandbox, USDC, sandbox.seller()), before + 24 * 10_000);
}

#[tokio::test]
async fn s07_another_sender_with_the_same_key_is_noticed() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    settled(facilitator.settle(&Payment::new(&sandbox).request()).await);
    // Another process uses the account: the next nonce is no longer the one remembered here.
    let other = sandbox.facilitator_with(EvmConfig::sandbox());
    settled(other.settle(&Payment::new(&sandbox).request()).await);
    settled(facilitator.settle(&Payment::new(&sandbox).request()).await);
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 3);
}

#[tokio::test]
async fn s08_fees_above_the_cap_are_not_paid() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let payment = Payment::new(&sandbox);
    sandbox.set_base_fee(50_000_000_000);
    assert_eq!(refused(facilitator.settle(&payment.request()).await), "settlement_fee_above_cap");
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 0);
    sandbox.set_base_fee(10_000_000);
    settled(facilitator.settle(&payment.request()).await);
}

#[tokio::test]
async fn s08_an_empty_gas_purse_is_named() {
    let (sandbox, _) = sandbox();
    sandbox.set_native_balance(sandbox.settler(), U256::from(1));
    let payment = Payment::new(&sandbox);
    assert_eq!(refused(sandbox.facilitator().settle(&payment.request()).await), "settler_insufficient_funds");
}

#[tokio::test]
async fn s08_a_transaction_that_pays_too_little_is_replaced() {
    let (sandbox, _) = sandbox();
    let mut config = EvmConfig::sandbox();
    config.stall_after = Duration::from_millis(30);
    let facilitator = Arc::new(sandbox.facilitator_with(config));
    sandbox.set_automine(false);
    let payment = Payment::new(&sandbox);
    let task = tokio::spawn({
        let (facilitator, request) = (Arc::clone(&facilitator), payment.request());
        async move { facilitator.settle(&request).await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    // What was signed for the old base fee can no longer be mined.
    sandbox.set_base_fee(1_000_000_000);
    while !task.is_finished() {
        sandbox.mine();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    settled(task.await.unwrap());
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 1);
}

#[tokio::test]
async fn g02_cancelling_between_verify_and_settle_pays_nothing_and_says_so() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let payment = Payment::new(&sandbox);
    assert_eq!(verify_code(&*facilitator, &payment).await, None);
    sandbox.cancel_authorization(USDC, &payment.payer, payment.nonce).unwrap();
    assert_eq!(refused(facilitator.settle(&payment.request()).await), USED);
}

#[tokio::test]
async fn g02_cancelling_between_broadcast_and_block_pays_nothing_and_says_so() {
    let (sandbox, _) = sandbox();
    let facilitator = impatient(&sandbox);
    let payment = Payment::new(&sandbox);
    left_pending(&sandbox, &facilitator, &payment).await;
    sandbox.cancel_authorization(USDC, &payment.payer, payment.nonce).unwrap();
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
    assert_eq!(code.as_deref(), Some("invalid_exact_evm_transaction_simulation_failed"));
    assert_eq!(refused(facilitator.settle(&payment.request()).await), "settlement_gas_above_cap");
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
    assert!(code == "invalid_exact_evm_transaction_failed" || code == "settlement_gas_above_cap", "{code}");
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
    let outcomes = futures_util::future::join_all((0..20).map(|_| facilitator.settle(&request))).await;
    let successes = outcomes.iter().filter(|outcome| matches!(outcome, SettleOutcome::Settled(_))).count();
    assert_eq!(successes, 1);
    assert_eq!(refused(facilitator.settle(&request).await), USED);
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
    let second = Payment { payer: other.clone(), from: other.address(), ..first.clone() };
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
    let second = Payment { to: sandbox.settler(), ..first.clone() };
    let (a, b) = (first.request(), second.request());
    let (a, b) = tokio::join!(facilitator.settle(&a), facilitator.settle(&b));
    settled(a);
    assert_eq!(refused(b), USED);
    let unsigned = Payment { signature: Some(first.signature()), ..second };
    assert_eq!(refused(facilitator.settle(&unsigned.request()).await), "invalid_exact_evm_signature");
}

#[tokio::test]
async fn c05_a_settler_that_died_after_the_broadcast_is_followed_by_one_that_finds_the_payment() {
    let (sandbox, _) = sandbox();
    let payment = Payment::new(&sandbox);
    let hash = left_pending(&sandbox, &impatient(&sandbox), &payment).await;
    // A new process knows nothing of the transaction in the pool and sends its own behind it.
    let next = impatient(&sandbox);
    unknown(next.settle(&payment.request()).await);
    sandbox.mine();
    assert_eq!(settled(next.settle(&payment.request()).await).transaction, hash);
    assert_eq!(balance(&sandbox, USDC, sandbox.seller()), 1_000_010_000);
}
