//! The steps of a payment's life, for the tests that walk it.

use bytes::Bytes;
use x402_runtime::ledger::{Advanced, Begin, Event, Ledger, PaymentKey, Record, StoredAnswer};
use x402_runtime::model::wire::SettleResponse;

use crate::ledger_common::{START_MS, payment};

pub(crate) const OWNER: u64 = 1;

pub(crate) fn answered(body: &[u8]) -> Event {
    let answer = StoredAnswer {
        status: 200,
        headers: vec![],
        body: Bytes::copy_from_slice(body),
    };
    Event::Answered {
        owner: OWNER,
        answer: answer.into(),
        charge: None,
    }
}

pub(crate) fn intend() -> Event {
    Event::Intend {
        owner: OWNER,
        lease_until_ms: START_MS,
    }
}

pub(crate) fn settled() -> Event {
    let transaction = "0x01".to_owned();
    Event::Settled {
        response: SettleResponse {
            success: true,
            transaction,
            ..SettleResponse::default()
        },
    }
}

pub(crate) async fn done(ledger: &impl Ledger, key: &PaymentKey, event: Event) -> Record {
    match ledger.advance(key, event, START_MS).await.unwrap() {
        Advanced::Done(record) => std::sync::Arc::unwrap_or_clone(record),
        other => panic!("{other:?}"),
    }
}

/// A payment at the point where money may move.
#[allow(
    dead_code,
    reason = "not every test that shares these steps goes there"
)]
pub(crate) async fn settling(ledger: &impl Ledger, n: u64) -> Record {
    let new = payment(n, OWNER);
    let key = new.key.clone();
    assert!(matches!(ledger.begin(new).await.unwrap(), Begin::Reserved));
    done(ledger, &key, answered(b"x")).await;
    done(ledger, &key, intend()).await
}
