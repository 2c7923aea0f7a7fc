//! Payments and events the checks use.

use crate::facilitator::FacilitatorRequest;
use crate::ledger::{Event, Fingerprint, NewPayment, PaymentKey, StoredAnswer};
use alloy_primitives::{Address, B256};
use bytes::Bytes;
use serde_json::json;
use x402_model::money::AtomicAmount;
use x402_model::network::Network;
use x402_model::wire::SettleResponse;

/// The owner of every sample payment.
pub(super) const OWNER: u64 = 7;

/// When sample payments are reserved, unix milliseconds.
pub(super) const START_MS: u64 = 1_700_000_000_000;

/// When their leases end, unix milliseconds.
pub(super) const LEASE_MS: u64 = START_MS + 30_000;

/// Their `validBefore`, unix seconds.
pub(super) const VALID_BEFORE: u64 = START_MS / 1000 + 300;

pub(super) fn payment(n: u8) -> NewPayment {
    NewPayment {
        key: PaymentKey {
            network: Network::evm(84_532),
            asset: Address::repeat_byte(0xaa),
            payer: Address::repeat_byte(0xbb),
            nonce: B256::repeat_byte(n),
        },
        fingerprint: Fingerprint([n; 32]),
        endpoint: "weather".into(),
        amount: AtomicAmount::from_u128(10_000),
        pay_to: Address::repeat_byte(0xcc),
        valid_before: VALID_BEFORE,
        request: FacilitatorRequest {
            x402_version: 2,
            payload: json!({ "x402Version": 2, "payload": { "signature": "0x00" } }).into(),
            requirements: json!({ "scheme": "exact", "amount": "10000", "maxTimeoutSeconds": 300 })
                .into(),
        },
        owner: OWNER,
        lease_until_ms: LEASE_MS,
        now_ms: START_MS,
    }
}

pub(super) fn answer(body: &str) -> StoredAnswer {
    StoredAnswer {
        status: 200,
        headers: vec![("content-type".to_owned(), b"application/json".to_vec())],
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

pub(super) fn settlement() -> SettleResponse {
    SettleResponse {
        success: true,
        transaction: "0xabc".to_owned(),
        network: "eip155:84532".to_owned(),
        payer: Some("0xBBbbBbBbBBbbBbbBbBbbBBbBbbbbbBBbbBbBbBBb".to_owned()),
        ..SettleResponse::default()
    }
}

pub(super) fn answered(body: &str) -> Event {
    Event::Answered {
        owner: OWNER,
        answer: answer(body).into(),
        charge: None,
    }
}

/// The sample answer to a call that used so much.
pub(super) fn charged(body: &str, charge: u128) -> Event {
    Event::Answered {
        owner: OWNER,
        answer: answer(body).into(),
        charge: Some(AtomicAmount::from_u128(charge)),
    }
}

/// A sample answer is leaving, and so much is due for it.
pub(super) fn metered(charge: u128) -> Event {
    Event::Metered {
        owner: OWNER,
        charge: AtomicAmount::from_u128(charge),
        lease_until_ms: LEASE_MS,
    }
}

pub(super) const fn intend(owner: u64) -> Event {
    Event::Intend {
        owner,
        lease_until_ms: LEASE_MS,
    }
}

pub(super) fn settled() -> Event {
    Event::Settled {
        response: settlement(),
    }
}
