use alloy_primitives::{Address, B256};
use x402_model::money::AtomicAmount;
use x402_model::network::Network;

use super::*;
use crate::facilitator::FacilitatorRequest;
use crate::ledger::{Fingerprint, NewPayment, PaymentKey};

const VALID_BEFORE: u64 = 1_000;
const EXPIRED_MS: u64 = VALID_BEFORE * 1000 + 1;
const LEASE_MS: u64 = 100_000;

fn record(state: State, attempts: u32) -> Record {
    let mut record = Record::reserve(NewPayment {
        key: PaymentKey {
            network: Network::BASE_SEPOLIA,
            asset: Address::ZERO,
            payer: Address::ZERO,
            nonce: B256::ZERO,
        },
        fingerprint: Fingerprint([0; 32]),
        endpoint: "weather".into(),
        amount: AtomicAmount::from_u128(1),
        pay_to: Address::ZERO,
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
    record.attempts = attempts;
    record
}

fn unavailable() -> Evidence {
    Evidence::Unavailable {
        reason: String::new(),
    }
}

fn name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Settle => "settle",
        Verdict::Say(event) => event.name(),
    }
}

#[test]
fn what_each_record_needs() {
    for (state, attempts, now_ms, expected) in [
        (State::Reserved, 0, 0, Look::NotYet),
        (State::Reserved, 0, LEASE_MS, Look::LeaseOver),
        (State::Settling, 0, LEASE_MS - 1, Look::NotYet),
        (State::Settling, 0, LEASE_MS, Look::LeaseOver),
        // Its owner is about to settle it, then gone, then it is too late to send.
        (State::Served, 0, 0, Look::NotYet),
        (State::Served, 0, LEASE_MS, Look::Settle),
        (State::Served, 0, (VALID_BEFORE - 5) * 1000, Look::NotYet),
        (State::Served, 0, EXPIRED_MS, Look::Ask),
        // Refused: only the buyer may ask again.
        (State::Served, 1, LEASE_MS, Look::NotYet),
        (State::Served, 1, EXPIRED_MS, Look::Ask),
        (State::Unknown, 1, 0, Look::NotYet),
        (State::Unknown, 1, ASK_PAUSE_MS, Look::Ask),
        (State::Unknown, 2, ASK_PAUSE_MS, Look::NotYet),
        (State::Unknown, u32::MAX, ASK_PAUSE_MS * 32, Look::Ask),
        (State::Settled, 0, WATCH_PAUSE_MS - 1, Look::NotYet),
        (State::Settled, 0, WATCH_PAUSE_MS, Look::Ask),
        (State::Final, 0, u64::MAX, Look::NotYet),
        (State::Failed, 0, u64::MAX, Look::NotYet),
    ] {
        assert_eq!(
            look(&record(state, attempts), now_ms),
            expected,
            "{state} {attempts} {now_ms}"
        );
    }
}

#[test]
fn what_the_chains_word_means() {
    let paid = |confirmations| Evidence::Paid {
        transaction: "0x".to_owned(),
        confirmations,
    };
    let unused = |chain_time| Evidence::Unused { chain_time };
    let cancelled = Evidence::Cancelled {
        transaction: "0x".to_owned(),
    };
    for (state, evidence, now_ms, expected) in [
        (State::Settled, paid(11), 0, "evidence"),
        (State::Settled, paid(12), 0, "finalised"),
        (State::Settled, unused(0), 0, "receipt_gone"),
        (State::Settled, cancelled.clone(), 0, "receipt_gone"),
        (State::Settled, unavailable(), EXPIRED_MS, "evidence"),
        (
            State::Settled,
            unavailable(),
            EXPIRED_MS + BLIND_CLOSE_MS,
            "finalised",
        ),
        (State::Unknown, paid(1), 0, "evidence"),
        (State::Unknown, cancelled, 0, "evidence"),
        (State::Unknown, unused(0), 0, "evidence"),
        (State::Unknown, unused(0), SEND_PAUSE_MS, "settle"),
        (State::Unknown, unused(VALID_BEFORE), EXPIRED_MS, "evidence"),
        (
            State::Unknown,
            unused(VALID_BEFORE + 1),
            EXPIRED_MS,
            "evidence",
        ),
        (State::Unknown, unavailable(), SEND_PAUSE_MS, "settle"),
        (State::Unknown, unavailable(), EXPIRED_MS, "evidence"),
        (State::Served, unavailable(), EXPIRED_MS, "evidence"),
        (
            State::Served,
            unavailable(),
            EXPIRED_MS + BLIND_CLOSE_MS,
            "expired",
        ),
        (State::Served, unused(0), EXPIRED_MS, "evidence"),
    ] {
        let verdict = judge(&record(state, 1), &evidence, now_ms, 12);
        assert_eq!(name(&verdict), expected, "{state} {evidence:?} {now_ms}");
    }
}

#[test]
fn nothing_is_sent_that_could_not_land() {
    let late = (VALID_BEFORE - 5) * 1000;
    assert_eq!(
        name(&judge(&record(State::Unknown, 1), &unavailable(), late, 12)),
        "evidence"
    );
}
