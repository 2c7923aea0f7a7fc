//! Properties of the ledger: random lives of payments, in every store and in a pure fold of the transition function.
#![cfg(feature = "sqlite")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod ledger_common;

use bytes::Bytes;
use ledger_common::{START_MS, VALID_BEFORE, payment};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use x402_runtime::facilitator::Evidence;
use x402_runtime::ledger::{
    Advanced, Begin, Commit, Event, Ledger, MemoryLedger, Next, PaymentKey, Record, SqliteLedger,
    State, StoredAnswer, Twice, step,
};
use x402_runtime::model::money::AtomicAmount;
use x402_runtime::model::wire::SettleResponse;

#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "a few dozen in a test")]
enum Act {
    Begin { payment: u64, owner: u64 },
    Advance { payment: u64, event: Event },
    Twice { payment: u64, events: [Event; 2] },
    Purge { max: usize },
}

fn transaction() -> impl Strategy<Value = String> {
    (0..3_u8).prop_map(|n| format!("0x{n:02x}"))
}

fn evidence() -> impl Strategy<Value = Evidence> {
    prop_oneof![
        (transaction(), 0..9_u64).prop_map(|(transaction, confirmations)| Evidence::Paid {
            transaction,
            confirmations
        }),
        transaction().prop_map(|transaction| Evidence::Cancelled { transaction }),
        transaction().prop_map(|transaction| Evidence::Mismatch { transaction }),
        (VALID_BEFORE - 1..VALID_BEFORE + 2).prop_map(|chain_time| Evidence::Unused { chain_time }),
        Just(Evidence::Unavailable {
            reason: "down".to_owned()
        }),
    ]
}

fn answer() -> impl Strategy<Value = StoredAnswer> {
    (any::<u8>(), prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(n, body)| StoredAnswer {
        status: 200 + u16::from(n),
        headers: vec![(format!("h{n}"), body.clone())],
        body: Bytes::from(body),
    })
}

/// What was metered: nothing, something, all that was signed, or more.
fn charge() -> impl Strategy<Value = AtomicAmount> {
    let signed = 10_000_u128;
    prop_oneof![Just(0), 1..signed, Just(signed), Just(signed + 1)]
        .prop_map(AtomicAmount::from_u128)
}

fn event() -> impl Strategy<Value = Event> {
    let owner = 0..2_u64;
    prop_oneof![
        1 => owner.clone().prop_map(|owner| Event::HandlerFailed { owner }),
        1 => (START_MS..START_MS + 60_000).prop_map(|now_ms| Event::LeaseOver { now_ms }),
        4 => (owner.clone(), answer(), prop::option::of(charge()))
            .prop_map(|(owner, answer, charge)| Event::Answered { owner, answer: answer.into(), charge }),
        3 => (owner.clone(), charge(), START_MS..START_MS + 60_000)
            .prop_map(|(owner, charge, lease_until_ms)| Event::Metered { owner, charge, lease_until_ms }),
        1 => Just(Event::Waived),
        4 => (owner, START_MS..START_MS + 60_000)
            .prop_map(|(owner, lease_until_ms)| Event::Intend { owner, lease_until_ms }),
        2 => (any::<bool>(), prop_oneof![Just(String::new()), transaction()]).prop_map(|(success, transaction)| {
            Event::Settled { response: SettleResponse { success, transaction, ..SettleResponse::default() } }
        }),
        2 => Just(Event::Refused { code: "insufficient_funds".to_owned() }),
        2 => prop::option::of(transaction()).prop_map(|transaction| Event::Unanswered { transaction }),
        4 => evidence().prop_map(Event::Evidence),
        1 => Just(Event::Finalised),
        1 => Just(Event::ReceiptGone),
        1 => Just(Event::Expired),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0..3_u64, 0..2_u64).prop_map(|(payment, owner)| Act::Begin { payment, owner }),
        12 => (0..3_u64, event()).prop_map(|(payment, event)| Act::Advance { payment, event }),
        6 => (0..3_u64, [event(), event()]).prop_map(|(payment, events)| Act::Twice { payment, events }),
        1 => (0..3_usize).prop_map(|max| Act::Purge { max }),
    ]
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    prop::collection::vec(act(), 1..60)
}

/// What every store must be like: a map, and the transition function.
#[derive(Default)]
struct Fold(BTreeMap<PaymentKey, Record>);

impl Fold {
    fn begin(&mut self, n: u64, owner: u64) -> Begin {
        let new = payment(n, owner);
        if let Some(record) = self.0.get(&new.key) {
            return Begin::Exists(Arc::new(record.clone()));
        }
        self.0.insert(new.key.clone(), Record::reserve(new));
        Begin::Reserved
    }

    fn advance(&mut self, key: &PaymentKey, event: &Event, now_ms: u64) -> Advanced {
        let Some(record) = self.0.get(key) else {
            return Advanced::Lost(None);
        };
        match step(record, event).map(|step| step.at(now_ms).next) {
            Err(_) => Advanced::Lost(Some(Arc::new(record.clone()))),
            Ok(Next::Remove) => {
                self.0.remove(key);
                Advanced::Removed
            }
            Ok(Next::Become(next)) => {
                self.0.insert(key.clone(), (*next).clone());
                Advanced::Done(next)
            }
        }
    }

    fn advance_twice(&mut self, key: &PaymentKey, events: &[Event; 2], now_ms: u64) -> Twice {
        let first = self.advance(key, &events[0], now_ms);
        if !matches!(first, Advanced::Done(_)) {
            return Twice::First(first);
        }
        Twice::Second(self.advance(key, &events[1], now_ms))
    }

    fn due(&self, now_ms: u64) -> Vec<Record> {
        self.0
            .values()
            .filter(|record| record.due_ms().is_some_and(|at| at <= now_ms))
            .map(Record::without_answer)
            .collect()
    }

    fn closed(&self) -> usize {
        self.0
            .values()
            .filter(|record| record.closed_ms().is_some())
            .count()
    }
}

async fn compare(ledger: &impl Ledger, acts: &[Act]) -> Result<(), TestCaseError> {
    let mut fold = Fold::default();
    for (act, now_ms) in acts.iter().zip(START_MS..) {
        match act {
            Act::Begin { payment: n, owner } => {
                prop_assert_eq!(
                    ledger.begin(payment(*n, *owner)).await.unwrap(),
                    fold.begin(*n, *owner)
                );
            }
            Act::Advance { payment: n, event } => {
                let key = payment(*n, 0).key;
                let found = ledger.advance(&key, event.clone(), now_ms).await.unwrap();
                prop_assert_eq!(found, fold.advance(&key, event, now_ms), "{:?}", event);
            }
            Act::Twice { payment: n, events } => {
                let key = payment(*n, 0).key;
                let found = ledger
                    .advance_twice(&key, events.clone(), now_ms)
                    .await
                    .unwrap();
                prop_assert_eq!(
                    found,
                    fold.advance_twice(&key, events, now_ms),
                    "{:?}",
                    events
                );
            }
            Act::Purge { max } => {
                let wanted = fold.closed().min(*max) as u64;
                prop_assert_eq!(ledger.purge(u64::MAX, *max).await.unwrap(), wanted);
                // Which of several goes first is the store's choice.
                let mut kept = BTreeMap::new();
                for (key, record) in fold.0 {
                    if ledger.get(&key).await.unwrap().is_some() {
                        kept.insert(key, record);
                    }
                }
                fold.0 = kept;
            }
        }
        let mut due = ledger.due(now_ms, 99).await.unwrap();
        due.sort_by(|a, b| a.key.cmp(&b.key));
        prop_assert_eq!(due, fold.due(now_ms));
    }
    for n in 0..3 {
        let key = payment(n, 0).key;
        let found = ledger.get(&key).await.unwrap();
        prop_assert_eq!(found.as_ref(), fold.0.get(&key));
    }
    Ok(())
}

fn on_a_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn memory_is_a_fold_of_the_transition_function(acts in acts()) {
        on_a_runtime(compare(&MemoryLedger::new(), &acts))?;
    }

    #[test]
    fn t2_t3_a_life_keeps_its_promises(events in prop::collection::vec(event(), 1..80)) {
        let mut record = Record::reserve(payment(1, 0));
        let ceiling = record.amount;
        let mut streamed = false;
        for event in events {
            let Ok(taken) = step(&record, &event) else { continue };
            let Next::Become(next) = taken.next else {
                let running = record.state == State::Reserved || record.is_streaming();
                prop_assert!(running, "only what has no answer yet is removed");
                return Ok(());
            };
            streamed |= matches!(event, Event::Metered { .. });
            // S9: never more than was signed, and never another sum once there is an answer or a call.
            prop_assert!(next.amount <= ceiling);
            let metered = matches!(event, Event::Metered { .. } | Event::Answered { .. });
            prop_assert!(metered || next.amount == record.amount);
            // T3: money that moved is not failed, and is never taken for unsent again.
            if record.state.is_paid() {
                prop_assert!(matches!(next.state, State::Settled | State::Final | State::Unknown), "{:?}", event);
                prop_assert!(next.state != State::Unknown || matches!(event, Event::ReceiptGone));
            }
            // T2: the first answer is the only one.
            if record.answer.is_some() && next.state != State::Failed {
                prop_assert_eq!(&record.answer, &next.answer);
            }
            // What may be paid is on the disk, and so is what cannot be paid any more. What is paid was on the disk before.
            let moved = record.state != next.state;
            let must = matches!(next.state, State::Settling | State::Failed)
                || (record.state, next.state) == (State::Served, State::Settled)
                || matches!(event, Event::Waived);
            prop_assert_eq!(moved && must, taken.durability == Commit::Hard);
            // A record says what its state says.
            let has_answer = !matches!(next.state, State::Reserved | State::Failed);
            // What broke off while it left has none to show.
            prop_assert!(next.answer.is_some() == has_answer || (streamed && has_answer));
            prop_assert_eq!(next.settlement.is_some(), next.state.is_paid());
            // S3: whatever was once in doubt is never "only refused".
            prop_assert!(!(next.in_doubt && next.state == State::Served));
            prop_assert!(next.in_doubt || !record.in_doubt);
            record = Arc::unwrap_or_clone(next);
        }
    }

    #[test]
    fn g1_of_many_equal_begins_one_is_reserved(owners in prop::collection::vec(0..9_u64, 1..40)) {
        let ledger = MemoryLedger::new();
        let mut reserved = 0;
        for owner in &owners {
            match on_a_runtime(ledger.begin(payment(1, *owner))).unwrap() {
                Begin::Reserved => reserved += 1,
                Begin::Exists(record) => prop_assert_eq!(record.owner, owners[0]),
            }
        }
        prop_assert_eq!(reserved, 1);
    }
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn sqlite_is_a_fold_of_the_transition_function(acts in acts()) {
        let folder = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::open(folder.path().join("l.sqlite")).unwrap();
        on_a_runtime(compare(&ledger, &acts))?;
    }
}
