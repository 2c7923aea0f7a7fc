//! Settlement when things go wrong: lost answers, dead nodes, odd tokens, reorganisations, nonces and fees.
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
use calls::set_lie;
use support::{
    NOW, Payment, balance, odd_payment, odd_token, refused, sandbox, settled, unknown, verify_code,
};
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
async fn left_pending(
    sandbox: &Sandbox,
    facilitator: &EvmFacilitator,
    payment: &Payment,
) -> String {
    sandbox.set_automine(false);
    unknown(facilitator.settle(&payment.request()).await).unwrap()
}

#[tokio::test]
async fn s01_a_lost_answer_is_never_a_failure_and_moves_money_once() {
    for fault in [
        SendFault::LoseAnswer,
        SendFault::LoseRequest,
        SendFault::Swallow,
        SendFault::Delay(Duration::from_millis(50)),
    ] {
        let (sandbox, _) = sandbox();
        let before = balance(&sandbox, USDC, sandbox.seller());
        let payment = Payment::new(&sandbox);
        sandbox.fail_next_send(fault.clone());
        settled(sandbox.facilitator().settle(&payment.request()).await);
        assert_eq!(
            balance(&sandbox, USDC, sandbox.seller()),
            before + 10_000,
            "{fault:?}"
        );
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
    assert!(matches!(
        facilitator.evidence(&payment.reference()).await,
        Evidence::Unavailable { .. }
    ));
    sandbox.set_unreachable(false);
    settled(facilitator.settle(&payment.request()).await);
}

#[tokio::test]
async fn s02_a_cancelled_nonce_is_not_paid() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let payment = Payment::new(&sandbox);
    sandbox
        .cancel_authorization(USDC, &payment.payer, payment.nonce)
        .unwrap();
    assert_eq!(
        verify_code(&*facilitator, &payment).await.as_deref(),
        Some(USED)
    );
    assert_eq!(refused(facilitator.settle(&payment.request()).await), USED);
    assert!(matches!(
        facilitator.evidence(&payment.reference()).await,
        Evidence::Cancelled { .. }
    ));
    assert_eq!(
        sandbox.transaction_count(sandbox.settler()),
        0,
        "a replayed authorization must not burn gas"
    );
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
    assert_eq!(
        evidence,
        Evidence::Paid {
            transaction: hash,
            confirmations: 1
        }
    );
}

#[tokio::test]
async fn s04_a_token_that_is_silent_about_a_used_nonce_is_not_paid_twice() {
    let (sandbox, _) = sandbox();
    let facilitator = impatient(&sandbox);
    let token = odd_token(&sandbox, "SilentNonceToken");
    let payment = odd_payment(&sandbox, token);
    left_pending(&sandbox, &facilitator, &payment).await;
    sandbox
        .cancel_authorization(token, &payment.payer, payment.nonce)
        .unwrap();
    sandbox.mine();
    // The transaction succeeds and moves nothing.
    assert_eq!(
        refused(sandbox.facilitator().settle(&payment.request()).await),
        USED
    );
    assert_eq!(
        verify_code(&facilitator, &payment).await.as_deref(),
        Some(USED)
    );
    assert_eq!(balance(&sandbox, token, sandbox.seller()), 0);
}

#[tokio::test]
async fn s05_a_fee_on_transfer_is_not_the_agreed_amount() {
    let (sandbox, _) = sandbox();
    let token = odd_token(&sandbox, "FeeOnTransferToken");
    let payment = odd_payment(&sandbox, token);
    assert_eq!(
        refused(sandbox.facilitator().settle(&payment.request()).await),
        MISMATCH
    );
    let evidence = sandbox.facilitator().evidence(&payment.reference()).await;
    assert!(
        matches!(evidence, Evidence::Mismatch { .. }),
        "{evidence:?}"
    );
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
    assert!(matches!(
        facilitator.evidence(&reference).await,
        Evidence::Paid {
            confirmations: 1,
            ..
        }
    ));
    sandbox.mine_blocks(3);
    assert!(matches!(
        facilitator.evidence(&reference).await,
        Evidence::Paid {
            confirmations: 4,
            ..
        }
    ));
    sandbox.reorg(4);
    assert!(matches!(
        facilitator.evidence(&reference).await,
        Evidence::Unused { .. }
    ));
}

#[tokio::test]
async fn s07_a_failed_send_consumes_no_account_nonce() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    settled(facilitator.settle(&Payment::new(&sandbox).request()).await);
    let payment = Payment::new(&sandbox);
    for _ in 0..3 {
        sandbox.fail_next_send(SendFault::Refuse("txpool is full".into()));
        assert_eq!(
            refused(facilitator.settle(&payment.request()).await),
            "invalid_exact_evm_transaction_failed"
        );
    }
    settled(facilitator.settle(&payment.request()).await);
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 2);
}

#[tokio::test]
async fn s07_faults_among_concurrent_sends_leave_no_gap() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let before = balance(&sandbox, USDC, sandbox.seller());
    for fault in [
        SendFault::LoseRequest,
        SendFault::LoseAnswer,
        SendFault::Swallow,
        SendFault::LoseRequest,
    ] {
        sandbox.fail_next_send(fault);
    }
    let payments: Vec<Payment> = (0..24).map(|_| Payment::new(&sandbox)).collect();
    let settle = payments.iter().map(|payment| {
        let (facilitator, request) = (Arc::clone(&facilitator), payment.request());
        tokio::spawn(async move {
            // "Unknown" without a transaction means that nothing was sent: a ledger settles again.
            loop {
                match facilitator.settle(&request).await {
                    SettleOutcome::Unknown {
                        transaction: None, ..
                    } => {}
                    outcome => return outcome,
                }
            }
        })
    });
    let tasks: Vec<_> = settle.collect();
    for task in tasks {
        settled(task.await.unwrap());
    }
    assert_eq!(
        balance(&sandbox, USDC, sandbox.seller()),
        before + 24 * 10_000
    );
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 24);
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
    sandbox.mine();
    assert_eq!(
        refused(facilitator.settle(&payment.request()).await),
        "settlement_fee_above_cap"
    );
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 0);
    sandbox.set_base_fee(10_000_000);
    sandbox.mine();
    settled(facilitator.settle(&payment.request()).await);
}

#[tokio::test]
async fn s08_an_empty_gas_purse_is_named() {
    let (sandbox, _) = sandbox();
    sandbox.set_native_balance(sandbox.settler(), U256::from(1));
    let payment = Payment::new(&sandbox);
    assert_eq!(
        refused(sandbox.facilitator().settle(&payment.request()).await),
        "settler_insufficient_funds"
    );
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
async fn c05_a_settler_that_died_after_the_broadcast_is_followed_by_one_that_finds_the_payment() {
    let (sandbox, _) = sandbox();
    let payment = Payment::new(&sandbox);
    let hash = left_pending(&sandbox, &impatient(&sandbox), &payment).await;
    // A new process knows nothing of the transaction in the pool and sends its own behind it.
    let next = impatient(&sandbox);
    unknown(next.settle(&payment.request()).await);
    sandbox.mine();
    assert_eq!(
        settled(next.settle(&payment.request()).await).transaction,
        hash
    );
    assert_eq!(balance(&sandbox, USDC, sandbox.seller()), 1_000_010_000);
}
