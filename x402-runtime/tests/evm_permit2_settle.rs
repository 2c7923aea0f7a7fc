//! Settlement of payments through Permit2, and what became of them: races, metering, thefts, tokens that cheat.
#![cfg(feature = "sandbox")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests may fail loudly"
)]

#[path = "evm_support/permit2.rs"]
mod permit2;
#[path = "evm_support/support.rs"]
mod support;

use std::sync::Arc;

use alloy_primitives::{Address, U256, keccak256};
use alloy_sol_types::{SolCall, sol};
use permit2::{Permit2Payment, approve_all};
use support::{artifact, balance, refused, sandbox, settled, unknown};
use x402_runtime::evm::{EvmConfig, Repeat};
use x402_runtime::facilitator::{Evidence, Facilitator, SettleOutcome};
use x402_runtime::sandbox::{PERMIT_TOKEN, Sandbox, SendFault, USDC};

sol! {
    struct Call { address target; bytes callData; }
    function tryAggregate(bool requireSuccess, Call[] calls) external payable;
    function setLie(uint8 lie) external;
}

const STRANGER: Address = Address::repeat_byte(0x57);
const USED: &str = "permit2_invalid_nonce";

/// What the seller has gained in USDC.
struct Till<'a>(&'a Sandbox, u64);

impl<'a> Till<'a> {
    fn new(sandbox: &'a Sandbox) -> Self {
        Self(sandbox, balance(sandbox, USDC, sandbox.seller()))
    }

    #[track_caller]
    fn gained(&self, units: u64) {
        assert_eq!(balance(self.0, USDC, self.0.seller()), self.1 + units);
    }
}

fn ready() -> Sandbox {
    let (sandbox, _) = sandbox();
    approve_all(&sandbox);
    sandbox
}

fn paid_in(evidence: &Evidence) -> Option<&str> {
    match evidence {
        Evidence::Paid { transaction, .. } => Some(transaction),
        _ => None,
    }
}

#[tokio::test]
async fn a_payment_moves_exactly_its_amount_and_is_found_again() {
    let sandbox = ready();
    let (facilitator, till) = (sandbox.facilitator(), Till::new(&sandbox));
    let payment = Permit2Payment::exact(&sandbox);
    let unused = facilitator.evidence(&payment.reference()).await;
    assert!(matches!(unused, Evidence::Unused { .. }), "{unused:?}");
    let response = settled(facilitator.settle(&payment.request()).await);
    till.gained(10_000);
    assert_eq!(response.amount, None);
    let mut reference = payment.reference();
    for hint in [None, Some(response.transaction.clone())] {
        reference.transaction = hint;
        let evidence = facilitator.evidence(&reference).await;
        assert_eq!(paid_in(&evidence), Some(&*response.transaction));
    }
    // Every field of the question counts.
    reference.amount = x402_model::money::AtomicAmount::from_u128(9_999);
    let evidence = facilitator.evidence(&reference).await;
    assert!(
        matches!(evidence, Evidence::Mismatch { .. }),
        "{evidence:?}"
    );
    let again = settled(facilitator.settle(&payment.request()).await);
    assert_eq!(again.transaction, response.transaction);
    let strict = facilitator
        .settle_as(&payment.request(), Repeat::Refused)
        .await;
    assert_eq!(refused(strict), "invalid_exact_evm_nonce_already_used");
    till.gained(10_000);
}

#[tokio::test]
async fn a_token_with_18_decimals_is_paid_through_permit2() {
    let sandbox = ready();
    let mut payment = Permit2Payment::exact(&sandbox).in_token(PERMIT_TOKEN);
    payment.amount = U256::from(10_u64).pow(U256::from(16));
    payment.authorization.permitted.amount = payment.amount;
    let before = sandbox.balance_of(PERMIT_TOKEN, sandbox.seller()).unwrap();
    settled(sandbox.facilitator().settle(&payment.request()).await);
    let after = sandbox.balance_of(PERMIT_TOKEN, sandbox.seller()).unwrap();
    assert_eq!(after.get() - before.get(), payment.amount);
    let evidence = sandbox.facilitator().evidence(&payment.reference()).await;
    assert!(paid_in(&evidence).is_some());
}

#[tokio::test]
async fn f04_a_hundred_concurrent_copies_move_the_money_once() {
    let sandbox = ready();
    let till = Till::new(&sandbox);
    let payment = Permit2Payment::exact(&sandbox);
    let (facilitator, request) = (sandbox.facilitator(), payment.request());
    let copies = (0..100).map(|_| {
        let (facilitator, request) = (Arc::clone(&facilitator), request.clone());
        tokio::spawn(async move { settled(facilitator.settle(&request).await).transaction })
    });
    let mut transactions = Vec::new();
    for copy in copies.collect::<Vec<_>>() {
        transactions.push(copy.await.unwrap());
    }
    transactions.dedup();
    assert_eq!(transactions.len(), 1);
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 1);
    till.gained(10_000);
}

/// A payer signs one nonce for two tokens. Only one payment can succeed, and only one costs gas.
#[tokio::test]
async fn f03_one_nonce_for_two_tokens_costs_the_gas_of_one() {
    let sandbox = ready();
    let facilitator = sandbox.facilitator();
    let first = Permit2Payment::exact(&sandbox);
    let mut second = first.clone().in_token(PERMIT_TOKEN);
    second.signature = None;
    let (one, two) = (first.request(), second.request());
    let outcomes = tokio::join!(facilitator.settle(&one), facilitator.settle(&two));
    let success = |outcome: &SettleOutcome| matches!(outcome, SettleOutcome::Settled(_));
    assert_eq!(success(&outcomes.0) as u8 + success(&outcomes.1) as u8, 1);
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 1);
}

#[tokio::test]
async fn s09_upto_charges_what_was_used_and_never_more_than_was_permitted() {
    let sandbox = ready();
    let (facilitator, till) = (sandbox.facilitator(), Till::new(&sandbox));
    let payment = Permit2Payment::upto(&sandbox);
    let above = facilitator.settle(&payment.charging(50_001)).await;
    assert_eq!(
        refused(above),
        "invalid_upto_evm_payload_settlement_exceeds_amount"
    );
    let SettleOutcome::Settled(free) = facilitator.settle(&payment.charging(0)).await else {
        panic!("a charge of nothing succeeds");
    };
    assert_eq!(
        (free.transaction.as_str(), free.amount.as_deref()),
        ("", Some("0"))
    );
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 0);
    let charged = settled(facilitator.settle(&payment.charging(12_345)).await);
    assert_eq!(charged.amount.as_deref(), Some("12345"));
    till.gained(12_345);
    let mut reference = payment.reference();
    reference.amount = x402_model::money::AtomicAmount::from_u128(12_345);
    let evidence = facilitator.evidence(&reference).await;
    assert_eq!(paid_in(&evidence), Some(&*charged.transaction));
    // Neither more, nor the same again as another charge, nor nothing.
    for other in [12_346, 50_000, 1, 0] {
        let outcome = facilitator.settle(&payment.charging(other)).await;
        assert_eq!(refused(outcome), USED, "{other}");
    }
    let same = settled(facilitator.settle(&payment.charging(12_345)).await);
    assert_eq!(same.transaction, charged.transaction);
    till.gained(12_345);
}

#[tokio::test]
async fn s09_two_charges_of_one_payment_at_once_are_one_settlement() {
    let sandbox = ready();
    let (facilitator, till) = (sandbox.facilitator(), Till::new(&sandbox));
    let payment = Permit2Payment::upto(&sandbox);
    let (small, large) = (payment.charging(1_000), payment.charging(2_000));
    let outcomes = tokio::join!(facilitator.settle(&small), facilitator.settle(&large));
    let charged = match outcomes {
        (SettleOutcome::Settled(_), other) => (1_000, other),
        (other, SettleOutcome::Settled(_)) => (2_000, other),
        outcomes => panic!("{outcomes:?}"),
    };
    assert_eq!(refused(charged.1), USED);
    till.gained(charged.0);
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 1);
}

#[tokio::test]
async fn upto_is_settled_by_the_account_that_was_signed() {
    let sandbox = ready();
    let keys = [
        sandbox.accounts()[4].signer(),
        sandbox.accounts()[2].signer(),
    ];
    let keys = keys
        .map(x402_runtime::evm::SettlerKey::from_signer)
        .to_vec();
    let facilitator =
        x402_runtime::evm::EvmFacilitator::with_keys(sandbox.chain(), keys, EvmConfig::sandbox())
            .await
            .unwrap()
            .with_clock(sandbox.clock());
    for _ in 0..3 {
        let payment = Permit2Payment::upto(&sandbox);
        settled(facilitator.settle(&payment.charging(7)).await);
    }
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 3);
    assert_eq!(
        sandbox.transaction_count(sandbox.accounts()[4].address()),
        0
    );
}

#[tokio::test]
async fn f06_a_payment_that_a_stranger_submits_first_is_paid() {
    let sandbox = ready();
    let (facilitator, till) = (sandbox.facilitator(), Till::new(&sandbox));
    let payment = Permit2Payment::exact(&sandbox);
    let theirs = payment.submit_as(&sandbox, STRANGER);
    let response = settled(facilitator.settle(&payment.request()).await);
    assert_eq!(response.transaction, theirs.to_string());
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 0);
    till.gained(10_000);
}

#[tokio::test]
async fn s02_a_nonce_that_was_taken_back_is_not_paid() {
    let sandbox = ready();
    let facilitator = sandbox.facilitator();
    let payment = Permit2Payment::exact(&sandbox);
    let taken_back = payment.invalidate(&sandbox);
    let evidence = facilitator.evidence(&payment.reference()).await;
    let transaction = taken_back.to_string();
    assert_eq!(evidence, Evidence::Cancelled { transaction });
    assert_eq!(refused(facilitator.settle(&payment.request()).await), USED);
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 0);
}

#[tokio::test]
async fn t03_taking_a_nonce_back_after_it_was_paid_with_changes_nothing() {
    let sandbox = ready();
    let facilitator = sandbox.facilitator();
    let payment = Permit2Payment::exact(&sandbox);
    let response = settled(facilitator.settle(&payment.request()).await);
    payment.invalidate(&sandbox);
    let evidence = facilitator.evidence(&payment.reference()).await;
    assert_eq!(paid_in(&evidence), Some(&*response.transaction));
}

/// Nothing on the chain names the transaction, and nodes index logs late: only long after the end it is believed.
#[tokio::test]
async fn t04_a_nonce_that_moved_money_to_somebody_else_is_not_paid() {
    for (to_seller, units) in [(false, 10_000), (true, 9_999), (false, 0)] {
        let sandbox = ready();
        let facilitator = sandbox.facilitator();
        let to = if to_seller {
            sandbox.seller()
        } else {
            STRANGER
        };
        let payment = Permit2Payment::exact(&sandbox);
        payment.burn(&sandbox, to, units);
        let early = facilitator.evidence(&payment.reference()).await;
        assert!(matches!(early, Evidence::Unavailable { .. }), "{early:?}");
        unknown(facilitator.settle(&payment.request()).await);
        sandbox.advance_seconds(300 + 3_602);
        let late = facilitator.evidence(&payment.reference()).await;
        assert!(matches!(late, Evidence::Mismatch { .. }), "{late:?}");
        assert_eq!(sandbox.transaction_count(sandbox.settler()), 0);
    }
}

/// One transfer must not stand for two nonces: the payer settles one payment inside of a contract of its own, and uses the
/// other's nonce up for nothing.
#[tokio::test]
async fn t04_a_transfer_that_names_no_nonce_counts_for_none() {
    let sandbox = ready();
    let facilitator = sandbox.facilitator();
    let (wrapped, burnt) = (
        Permit2Payment::exact(&sandbox),
        Permit2Payment::exact(&sandbox),
    );
    let contract = sandbox.deploy(artifact("TryAggregate").creation).unwrap();
    let call = tryAggregateCall {
        requireSuccess: true,
        calls: vec![Call {
            target: wrapped.authorization.spender,
            callData: wrapped.settle_call().into(),
        }],
    };
    sandbox
        .transact_as(STRANGER, contract, call.abi_encode())
        .unwrap();
    burnt.burn(&sandbox, STRANGER, 0);
    for payment in [wrapped, burnt] {
        let evidence = facilitator.evidence(&payment.reference()).await;
        assert!(
            matches!(evidence, Evidence::Unavailable { .. }),
            "{evidence:?}"
        );
        unknown(facilitator.settle(&payment.request()).await);
    }
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 0);
}

#[tokio::test]
async fn s06_a_payment_that_a_reorganisation_took_back_settles_again() {
    let sandbox = ready();
    let (facilitator, till) = (sandbox.facilitator(), Till::new(&sandbox));
    let payment = Permit2Payment::exact(&sandbox);
    settled(facilitator.settle(&payment.request()).await);
    sandbox.reorg(1);
    till.gained(0);
    let evidence = facilitator.evidence(&payment.reference()).await;
    assert!(matches!(evidence, Evidence::Unused { .. }), "{evidence:?}");
    settled(facilitator.settle(&payment.request()).await);
    till.gained(10_000);
}

#[tokio::test]
async fn s01_a_broadcast_without_an_answer_is_followed_up() {
    let sandbox = ready();
    let till = Till::new(&sandbox);
    for fault in [
        SendFault::LoseAnswer,
        SendFault::LoseRequest,
        SendFault::Swallow,
    ] {
        sandbox.fail_next_send(fault);
        let payment = Permit2Payment::upto(&sandbox);
        settled(sandbox.facilitator().settle(&payment.charging(100)).await);
    }
    till.gained(300);
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 3);
}

#[tokio::test]
async fn an_expired_payment_is_refused_only_when_no_block_can_hold_it() {
    let sandbox = ready();
    let payment = Permit2Payment::exact(&sandbox);
    let deadline: u64 = payment.authorization.deadline.to();
    sandbox.set_time(deadline);
    unknown(sandbox.facilitator().settle(&payment.request()).await);
    sandbox.set_time(deadline + 4);
    let outcome = sandbox.facilitator().settle(&payment.request()).await;
    assert_eq!(refused(outcome), "permit2_deadline_expired");
}

/// A token at the address of the sandbox's USDC, approved and funded.
fn with_token(name: &str) -> Sandbox {
    let sandbox = ready();
    sandbox.set_code(USDC, artifact(name).runtime).unwrap();
    sandbox
}

#[tokio::test]
async fn s05_tokens_that_move_less_or_lie_are_not_paid() {
    for name in ["FeeOnTransferToken", "LyingToken"] {
        for lie in 0..=3 {
            let sandbox = with_token(name);
            if name == "LyingToken" {
                let call = setLieCall { lie };
                sandbox
                    .transact_as(STRANGER, USDC, call.abi_encode())
                    .unwrap();
            }
            let payment = Permit2Payment::exact(&sandbox);
            let outcome = sandbox.facilitator().settle(&payment.request()).await;
            let SettleOutcome::Refused(response) = outcome else {
                panic!("{name} {lie}: {outcome:?}");
            };
            let code = response.error_reason.as_deref();
            assert_eq!(
                code,
                Some("invalid_exact_evm_transfer_event_mismatch"),
                "{name} {lie}"
            );
            let mut reference = payment.reference();
            let evidence = sandbox.facilitator().evidence(&reference).await;
            assert!(paid_in(&evidence).is_none(), "{name} {lie}: {evidence:?}");
            reference.transaction = Some(response.transaction.clone());
            let evidence = sandbox.facilitator().evidence(&reference).await;
            let transaction = response.transaction;
            assert_eq!(evidence, Evidence::Mismatch { transaction }, "{name} {lie}");
        }
    }
}

/// Places a token of `contracts/src/test` with money for the payer, who approves Permit2 for it.
fn approved_token(sandbox: &Sandbox, name: &str) -> Address {
    let token = Address::from_slice(&keccak256(name)[..20]);
    sandbox
        .place_token(token, artifact(name).runtime, "Odd", "ODD", "1")
        .unwrap();
    sandbox.mint(token, sandbox.payer(), 1_000_000).unwrap();
    sandbox
        .approve_permit2(token, sandbox.payer(), U256::MAX)
        .unwrap();
    token
}

#[tokio::test]
async fn tokens_without_any_signed_transfer_are_paid_through_permit2() {
    let sandbox = ready();
    for name in ["DaiLikeToken", "WethLikeToken"] {
        let token = approved_token(&sandbox, name);
        let payment = Permit2Payment::exact(&sandbox).in_token(token);
        settled(sandbox.facilitator().settle(&payment.request()).await);
        assert_eq!(balance(&sandbox, token, sandbox.seller()), 10_000, "{name}");
        let evidence = sandbox.facilitator().evidence(&payment.reference()).await;
        assert!(paid_in(&evidence).is_some(), "{name}: {evidence:?}");
    }
    let short = approved_token(&sandbox, "ShortTransferToken");
    let payment = Permit2Payment::exact(&sandbox).in_token(short);
    let outcome = sandbox.facilitator().settle(&payment.request()).await;
    assert_eq!(
        refused(outcome),
        "invalid_exact_evm_transfer_event_mismatch"
    );
}

/// The same nonce used by the payer on the other rail decides nothing about a payment that was made.
#[tokio::test]
async fn a_nonce_used_on_the_other_rail_does_not_hide_a_payment() {
    let sandbox = ready();
    let facilitator = sandbox.facilitator();
    let payment = Permit2Payment::exact(&sandbox);
    let response = settled(facilitator.settle(&payment.request()).await);
    let nonce = payment.authorization.nonce.into();
    sandbox
        .cancel_authorization(USDC, &payment.payer, nonce)
        .unwrap();
    let evidence = facilitator.evidence(&payment.reference()).await;
    assert_eq!(paid_in(&evidence), Some(&*response.transaction));
}
