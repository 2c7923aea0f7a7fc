//! Checks of two steps in one call: the same end as one after the other, whether or not the store writes them together.

use super::sample::{OWNER, START_MS, answered, intend, payment, settled};
use super::{become_next, reserve, same, text};
use crate::ledger::{Advanced, Event, Ledger, Next, Record, Twice, step};
use std::sync::Arc;

pub(super) async fn two_steps(ledger: &impl Ledger) -> Result<(), String> {
    let failed = || Event::HandlerFailed { owner: OWNER };
    let stranger = || Event::HandlerFailed { owner: OWNER + 1 };
    let refused = || Event::Refused {
        code: "insufficient_funds".to_owned(),
    };
    let nobody = payment(99).key;
    let lost = ledger
        .advance_twice(&nobody, [intend(1), settled()], START_MS)
        .await
        .map_err(text)?;
    same("no record", &lost, &Twice::First(Advanced::Lost(None)))?;
    // What happened before, and the two.
    let cases = [
        (vec![], [answered("1"), intend(1)]),
        (vec![], [answered("2"), failed()]),
        (vec![], [stranger(), answered("3")]),
        (vec![], [failed(), intend(1)]),
        (vec![answered("5")], [answered("again"), intend(1)]),
        (vec![answered("6")], [intend(1), intend(2)]),
        (
            vec![answered("7"), intend(1)],
            [settled(), Event::Finalised],
        ),
        (vec![answered("8"), intend(1)], [refused(), intend(2)]),
        (vec![answered("9"), intend(1)], [refused(), Event::Expired]),
        (
            vec![answered("10"), intend(1), settled()],
            [settled(), Event::Finalised],
        ),
    ];
    for (n, (before, events)) in (1..).zip(cases) {
        let mut record = reserve(ledger, n).await?;
        for event in before {
            record = become_next(ledger, &record, event, START_MS).await?;
        }
        check(ledger, &record, events)
            .await
            .map_err(|error| format!("case {n}: {error}"))?;
    }
    Ok(())
}

async fn check(ledger: &impl Ledger, record: &Record, events: [Event; 2]) -> Result<(), String> {
    let now_ms = START_MS + 9;
    let (wanted, left) = expected(record, &events, now_ms);
    let found = ledger
        .advance_twice(&record.key, events, now_ms)
        .await
        .map_err(text)?;
    same("the answer", &found, &wanted)?;
    let stored = ledger.get(&record.key).await.map_err(text)?;
    same("what is stored", &stored, &left)
}

/// What the transition function makes of two events, and what is left.
fn expected(record: &Record, [first, second]: &[Event; 2], now_ms: u64) -> (Twice, Option<Record>) {
    let (one, left) = once(record, first, now_ms);
    let (Advanced::Done(_), Some(between)) = (&one, &left) else {
        return (Twice::First(one), left);
    };
    let (two, left) = once(between, second, now_ms);
    (Twice::Second(two), left)
}

fn once(record: &Record, event: &Event, now_ms: u64) -> (Advanced, Option<Record>) {
    match step(record, event).map(|step| step.at(now_ms).next) {
        Err(_) => (
            Advanced::Lost(Some(Arc::new(record.clone()))),
            Some(record.clone()),
        ),
        Ok(Next::Remove) => (Advanced::Removed, None),
        Ok(Next::Become(next)) => (
            Advanced::Done(Arc::clone(&next)),
            Some(Record::clone(&next)),
        ),
    }
}
