use alloy_primitives::{Address, B256};
use bytes::Bytes;
use x402_model::money::AtomicAmount;

use super::*;
use crate::facilitator::FacilitatorRequest;
use crate::ledger::{NewPayment, PaymentKey, StoredAnswer};

const SAME: Fingerprint = Fingerprint([1; 32]);
const OTHER: Fingerprint = Fingerprint([2; 32]);
const VALID_BEFORE: u64 = 1_000;
const LEASE_MS: u64 = 500_000;

fn record(state: State) -> Record {
    let mut record = Record::reserve(NewPayment {
        key: PaymentKey {
            network: Network::BASE_SEPOLIA,
            asset: Address::repeat_byte(1),
            payer: Address::repeat_byte(2),
            nonce: B256::ZERO,
        },
        fingerprint: SAME,
        endpoint: "weather".into(),
        amount: AtomicAmount::from_u128(1),
        pay_to: Address::repeat_byte(3),
        valid_before: VALID_BEFORE,
        request: FacilitatorRequest {
            x402_version: 2,
            payload: Default::default(),
            requirements: Default::default(),
        },
        owner: 1,
        lease_until_ms: LEASE_MS,
        now_ms: 0,
    });
    record.state = state;
    if !matches!(state, State::Reserved | State::Failed) {
        record.answer = Some(std::sync::Arc::new(StoredAnswer {
            status: 200,
            headers: vec![],
            body: Bytes::new(),
        }));
    }
    record
}

#[test]
fn another_request_is_refused_in_every_state() {
    for state in State::ALL {
        for now_ms in [0, LEASE_MS, u64::MAX] {
            let found = found(&record(*state), &OTHER, now_ms);
            assert_eq!(
                found,
                Found::Refuse(ProblemCode::PaymentReusedForOtherRequest),
                "{state}"
            );
        }
    }
}

#[test]
fn the_same_request_by_state_and_time() {
    use Found::{Pending, Reclaim, Refuse, Settle, Show};
    let (early, after_lease, expired) = (0, LEASE_MS, VALID_BEFORE * 1000);
    let in_progress = Refuse(ProblemCode::PaymentInProgress);
    let over = Refuse(ProblemCode::PaymentExpired);
    for (state, expected) in [
        (State::Reserved, [in_progress, Reclaim, Reclaim]),
        (State::Served, [in_progress, Settle, over]),
        (State::Settling, [in_progress, Pending, Pending]),
        (State::Unknown, [Pending; 3]),
        (State::Settled, [Show; 3]),
        (State::Final, [Show; 3]),
        (
            State::Failed,
            [
                Refuse(ProblemCode::PaymentCancelled),
                Refuse(ProblemCode::PaymentCancelled),
                over,
            ],
        ),
    ] {
        for (now_ms, expected) in [early, after_lease, expired].into_iter().zip(expected) {
            assert_eq!(
                found(&record(state), &SAME, now_ms),
                expected,
                "{state} at {now_ms}"
            );
        }
    }
}

#[test]
fn refused_answer_is_settled_again_at_once_and_a_lost_one_is_owned_up_to() {
    let mut refused = record(State::Served);
    refused.attempts = 1;
    assert_eq!(found(&refused, &SAME, 0), Found::Settle);
    assert_eq!(
        found(&refused, &SAME, (VALID_BEFORE - 6) * 1000),
        Found::Settle
    );
    assert_eq!(
        found(&refused, &SAME, (VALID_BEFORE - 5) * 1000),
        Found::Refuse(ProblemCode::PaymentExpired)
    );
    let mut purged = record(State::Settled);
    purged.answer = None;
    assert_eq!(
        found(&purged, &SAME, 0),
        Found::Refuse(ProblemCode::AnswerGone)
    );
}

#[test]
fn no_state_ever_asks_for_a_new_payment_while_money_may_move() {
    for state in [
        State::Settling,
        State::Unknown,
        State::Settled,
        State::Final,
    ] {
        for now_ms in [0, LEASE_MS, VALID_BEFORE * 1000, u64::MAX] {
            if let Found::Refuse(code) = found(&record(state), &SAME, now_ms) {
                assert_ne!(code.http_status(), 402, "{state} {code}");
            }
        }
    }
}

#[test]
fn settlements_are_told_in_our_own_words() {
    let record = record(State::Settling);
    let mut response = record.settlement_in("0xab");
    response.payer = None;
    response.error_message = Some("CANARY".to_owned());
    response.extra = Some(serde_json::Map::new());
    let Event::Settled { response } = settlement_event(&record, &SettleOutcome::Settled(response))
    else {
        panic!("a settlement")
    };
    assert_eq!(response, record.settlement_in("0xab"));
}

#[test]
fn reasons_are_codes_or_replaced() {
    for (reason, expected) in [
        (
            Some("invalid_exact_evm_signature"),
            "invalid_exact_evm_signature",
        ),
        (Some("invalid_x: execution reverted\n<html>"), "invalid_x"),
        (
            Some("Facilitator settle failed (500): <html>"),
            UNNAMED_REFUSAL,
        ),
        (Some(""), UNNAMED_REFUSAL),
        (Some("<script>"), UNNAMED_REFUSAL),
        (None, UNNAMED_REFUSAL),
    ] {
        assert_eq!(reason_code(reason), expected);
    }
    assert_eq!(reason_code(Some(&"a".repeat(97))), UNNAMED_REFUSAL);
}

#[test]
fn verification_is_strict_and_its_refusals_are_known_codes() {
    let invalid = |reason: &str| {
        verification(&VerifyResponse {
            invalid_reason: Some(reason.to_owned()),
            ..VerifyResponse::default()
        })
    };
    assert!(verification(&VerifyResponse::default()).is_err());
    assert!(
        verification(&VerifyResponse {
            is_valid: true,
            ..VerifyResponse::default()
        })
        .is_ok()
    );
    let code = |reason: &str| invalid(reason).unwrap_err().0;
    assert_eq!(
        code("invalid_exact_evm_insufficient_balance"),
        ProblemCode::InsufficientBalance
    );
    assert_eq!(code("something_new"), ProblemCode::PaymentInvalid);
    // A check before anything is sent cannot leave money in doubt.
    assert_eq!(code("settlement_pending"), ProblemCode::PaymentInvalid);
}
