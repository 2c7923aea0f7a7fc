//! The product's transition function, asked about small records.

use crate::ledger_common::payment;
use bytes::Bytes;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use x402_runtime::facilitator::Evidence;
use x402_runtime::ledger::{Commit, Event, Next, Record, State, StoredAnswer, step};
use x402_runtime::model::money::AtomicAmount;
use x402_runtime::model::wire::SettleResponse;

/// A fast hash; nobody attacks these maps.
pub(crate) type Quick = BuildHasherDefault<QuickHasher>;

#[derive(Default)]
pub(crate) struct QuickHasher(u64);

impl Hasher for QuickHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u8(*byte));
    }

    fn write_u8(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(23);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u8(number.to_le_bytes()[0]);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// What of a record matters to the model.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Rec {
    pub(crate) state: State,
    pub(crate) owner: u8,
    /// Whose handler made the stored answer.
    pub(crate) answer: Option<u8>,
    /// Whether a settle call ended.
    pub(crate) tried: bool,
    pub(crate) in_doubt: bool,
}

/// An event, small enough to be a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Ev {
    HandlerFailed(u8),
    LeaseOver,
    Answered(u8),
    /// The answer begins to leave, or more of it has.
    Metered(u8),
    Intend(u8),
    Settled,
    Refused,
    Unanswered,
    Paid,
    Cancelled,
    UnusedAndExpired,
    Finalised,
    ReceiptGone,
    Expired,
}

impl Ev {
    pub(crate) const ALL: &'static [Self] = &[
        Self::HandlerFailed(1),
        Self::LeaseOver,
        Self::Answered(1),
        Self::Metered(1),
        Self::Intend(1),
        Self::Settled,
        Self::Refused,
        Self::Unanswered,
        Self::Paid,
        Self::Cancelled,
        Self::UnusedAndExpired,
        Self::Finalised,
        Self::ReceiptGone,
        Self::Expired,
    ];
}

/// What became of a record, and how durably.
pub(crate) type Moved = Option<(Option<Rec>, Commit)>;

/// Remembers what the transition function said: it is pure, and the same questions come up a million times.
#[derive(Default)]
pub(crate) struct Oracle {
    memo: HashMap<(Rec, Ev), Moved, Quick>,
}

impl Oracle {
    /// The record a reservation creates.
    pub(crate) fn reserve(owner: u8) -> Rec {
        shrink(&Record::reserve(payment(1, owner.into())))
    }

    /// `None` if the event is not allowed.
    pub(crate) fn step(&mut self, rec: Rec, ev: Ev) -> Moved {
        *self.memo.entry((rec, ev)).or_insert_with(|| {
            let step = step(&grow(rec), &event(ev)).ok()?;
            let next = match step.next {
                Next::Remove => None,
                Next::Become(next) => Some(shrink(&next)),
            };
            Some((next, step.durability))
        })
    }
}

fn shrink(record: &Record) -> Rec {
    Rec {
        state: record.state,
        owner: u8::try_from(record.owner).unwrap(),
        answer: record.answer.as_ref().map(|answer| answer.body[0]),
        tried: record.attempts > 0,
        in_doubt: record.in_doubt,
    }
}

fn grow(rec: Rec) -> Record {
    let mut record = Record::reserve(payment(1, rec.owner.into()));
    record.state = rec.state;
    record.answer = rec.answer.map(|whose| Arc::new(answer(whose)));
    record.settlement = rec.state.is_paid().then(settlement);
    record.attempts = rec.tried.into();
    record.in_doubt = rec.in_doubt;
    record
}

fn answer(whose: u8) -> StoredAnswer {
    StoredAnswer {
        status: 200,
        headers: vec![],
        body: Bytes::copy_from_slice(&[whose]),
    }
}

fn settlement() -> SettleResponse {
    SettleResponse {
        success: true,
        transaction: "0x01".to_owned(),
        ..SettleResponse::default()
    }
}

fn event(ev: Ev) -> Event {
    let transaction = "0x01".to_owned();
    let vb = payment(1, 1).valid_before;
    match ev {
        Ev::HandlerFailed(owner) => Event::HandlerFailed {
            owner: owner.into(),
        },
        // A lease may be over at any time: clocks differ, processes pause.
        Ev::LeaseOver => Event::LeaseOver { now_ms: u64::MAX },
        Ev::Answered(owner) => Event::Answered {
            owner: owner.into(),
            answer: answer(owner).into(),
            charge: None,
        },
        Ev::Metered(owner) => Event::Metered {
            owner: owner.into(),
            charge: AtomicAmount::from_u128(1),
            lease_until_ms: 0,
        },
        Ev::Intend(owner) => Event::Intend {
            owner: owner.into(),
            lease_until_ms: 0,
        },
        Ev::Settled => Event::Settled {
            response: settlement(),
        },
        Ev::Refused => Event::Refused {
            code: "insufficient_funds".to_owned(),
        },
        Ev::Unanswered => Event::Unanswered { transaction: None },
        Ev::Paid => Event::Evidence(Evidence::Paid {
            transaction,
            confirmations: 1,
        }),
        Ev::Cancelled => Event::Evidence(Evidence::Cancelled { transaction }),
        Ev::UnusedAndExpired => Event::Evidence(Evidence::Unused { chain_time: vb + 1 }),
        Ev::Finalised => Event::Finalised,
        Ev::ReceiptGone => Event::ReceiptGone,
        Ev::Expired => Event::Expired,
    }
}
