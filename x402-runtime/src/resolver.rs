//! Finishes payments that nobody waits for any more: leases that ended, answers that were never settled, outcomes nobody heard.

mod decide;

use std::sync::{Arc, Weak};

use futures_util::StreamExt;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::Instrument as _;
use tracing::field::Empty;

use self::decide::{Look, Verdict, judge, look};
use crate::credit::{sale, sweep};
use crate::extract::PaymentId;
use crate::facilitator::Evidence;
use crate::gate::Core;
use crate::gate::settle::{Attempt, attempt};
use crate::ledger::{Advanced, Event, LedgerError, Record};
use crate::paywall::millis;
use crate::telemetry::{event, paywall::resolved, span};

/// Payments read in one go.
const BATCH: usize = 64;
/// Batches of one tick. More wait for the next one, so that payments nobody can decide do not keep the store busy.
const BATCHES: usize = 16;
/// Payments looked at side by side.
const SIDE_BY_SIDE: usize = 32;
/// Rounds of [`recover`]: a payment can need several steps.
const ROUNDS: usize = 8;
/// Looks between two removals of old records.
const PURGE_EVERY: u32 = 30;
/// Old records removed in one go.
const PURGE_BATCH: usize = 512;

/// What a look at the unresolved payments did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovered {
    /// Payments that were looked at.
    pub looked_at: usize,
    /// Steps by which payments came closer to their end.
    pub moved: usize,
}

/// Runs in the background until the paywall is shut down or dropped.
pub(crate) fn spawn(core: &Arc<Core>) {
    let (weak, closing) = (Arc::downgrade(core), core.closing.clone());
    let every = core.limits.resolve_every;
    core.tasks.spawn(async move {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut round: u32 = 0;
        loop {
            tokio::select! {
                biased;
                () = closing.cancelled() => break,
                _ = ticks.tick() => {}
            }
            let Some(core) = Weak::upgrade(&weak) else {
                break;
            };
            for _ in 0..BATCHES {
                if !look_once(&core).await.more {
                    break;
                }
            }
            free_holds(&core).await;
            round = round.wrapping_add(1);
            if round.is_multiple_of(PURGE_EVERY) {
                purge(&core).await;
            }
        }
    });
}

/// Frees credit that is held for calls that are gone.
async fn free_holds(core: &Core) {
    if core.sells_credit
        && let Err(error) = sweep::sweep(core).await
    {
        core.ledger_failed(&error);
    }
}

/// Looks at unresolved payments until nothing moves any more.
pub(crate) async fn recover(core: &Core) -> Recovered {
    let mut total = Recovered::default();
    for _ in 0..ROUNDS {
        let round = look_once(core).await.done;
        total.looked_at = total.looked_at.saturating_add(round.looked_at);
        total.moved = total.moved.saturating_add(round.moved);
        if round.moved == 0 {
            break;
        }
    }
    free_holds(core).await;
    total
}

/// Removes all that is old, in small commits between which payments are written.
async fn purge(core: &Core) {
    let before_ms = core
        .clock
        .now_ms()
        .saturating_sub(millis(core.limits.retention));
    let ledger = &core.ledger;
    while !core.closing.is_cancelled() {
        match ledger.purge(before_ms, PURGE_BATCH).await {
            Ok(0) => break,
            Ok(removed) => {
                tracing::debug!(name: event::PURGED, removed, "old payments were removed");
            }
            Err(error) => return core.ledger_failed(&error),
        }
    }
    // What is kept beside payments ends by itself; only closed holds are kept as long as payments are.
    while !core.closing.is_cancelled() {
        let now_ms = core.clock.now_ms();
        match ledger
            .accounts()
            .sweep(now_ms, before_ms, PURGE_BATCH)
            .await
        {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => return core.ledger_failed(&error),
        }
    }
}

/// What one look came to.
#[derive(Debug, Default)]
struct Round {
    done: Recovered,
    /// Whether others are due that did not fit, and looking at them is not in vain.
    more: bool,
}

/// One look at the payments that are due.
async fn look_once(core: &Core) -> Round {
    let span = tracing::debug_span!(span::RESOLVE, looked_at = Empty, moved = Empty);
    let round = look_at_due(core).instrument(span.clone()).await;
    span.record("looked_at", round.done.looked_at);
    span.record("moved", round.done.moved);
    core.metrics.due(round.done.looked_at);
    round
}

async fn look_at_due(core: &Core) -> Round {
    let records = match core.ledger.due(core.clock.now_ms(), BATCH).await {
        Ok(records) => records,
        Err(error) => {
            core.ledger_failed(&error);
            return Round::default();
        }
    };
    let looked_at = records.len();
    let done: Vec<Done> = futures_util::stream::iter(records)
        .map(|record| async move {
            resolve(core, record).await.unwrap_or_else(|error| {
                core.ledger_failed(&error);
                Done::Nothing
            })
        })
        .buffer_unordered(SIDE_BY_SIDE)
        .collect()
        .await;
    let moved = done.iter().filter(|done| **done == Done::Moved).count();
    Round {
        done: Recovered { looked_at, moved },
        more: looked_at == BATCH && done.iter().any(|done| *done != Done::Nothing),
    }
}

/// What a look at one payment came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    /// It was not its time, or this process may do no more.
    Nothing,
    /// It went to the back of the queue.
    Looked,
    /// It changed its state.
    Moved,
}

impl Done {
    const fn of(moved: bool) -> Self {
        if moved { Self::Moved } else { Self::Looked }
    }
}

/// Takes one payment a step further.
async fn resolve(core: &Core, record: Record) -> Result<Done, LedgerError> {
    let now_ms = core.clock.now_ms();
    if core.closing.is_cancelled() {
        // Whatever is not done by now waits for the next process.
        return Ok(Done::Nothing);
    }
    core.looked_at(&record);
    let next = look(&record, now_ms);
    if next != Look::NotYet {
        // Before it can become final, after which nobody looks at it any more.
        sale::book(core, &record).await?;
    }
    match next {
        Look::NotYet => Ok(Done::Nothing),
        Look::LeaseOver => advance(core, &record, Event::LeaseOver { now_ms }).await,
        Look::Settle => settle(core, &record).await,
        Look::Ask => {
            let Some(evidence) = ask(core, &record).await else {
                return Ok(Done::Nothing);
            };
            match judge(&record, &evidence, now_ms, core.limits.confirmations) {
                Verdict::Settle => settle(core, &record).await,
                Verdict::Say(event) => advance(core, &record, *event).await,
            }
        }
    }
}

/// The chain's word; `None` when the paywall shuts down meanwhile, because nobody should wait for a question.
async fn ask(core: &Core, record: &Record) -> Option<Evidence> {
    let payment = record.payment_ref();
    let asked = core.facilitator.evidence(&payment);
    tokio::select! {
        biased;
        () = core.closing.cancelled() => None,
        evidence = timeout(core.limits.settle_timeout, asked) => {
            Some(evidence.unwrap_or_else(|_| Evidence::Unavailable {
                reason: "no answer in time".to_owned(),
            }))
        }
    }
}

async fn settle(core: &Core, record: &Record) -> Result<Done, LedgerError> {
    let attempt = attempt(core, &record.key).await?;
    let (moved, outcome) = match attempt {
        Attempt::Settled(_) => (true, "settled"),
        Attempt::Refused(..) => (true, "refused"),
        Attempt::Open(_) | Attempt::Lost(_) => (false, "open"),
    };
    resolved(outcome);
    Ok(Done::of(moved))
}

async fn advance(core: &Core, record: &Record, event: Event) -> Result<Done, LedgerError> {
    let name = event.name();
    let (before, endpoint) = (record.state, &*record.endpoint);
    let moved = match core
        .ledger
        .advance(&record.key, event, core.clock.now_ms())
        .await?
    {
        Advanced::Done(record) => {
            core.moved(&record, before);
            record.state != before
        }
        Advanced::Removed => true,
        // Somebody else was faster.
        Advanced::Lost(_) => false,
    };
    if moved {
        let payment = PaymentId::of(&record.key);
        tracing::info!(name: event::RESOLVED, endpoint, %payment, from = before.as_str(), event = name, "a payment moved");
        resolved(name);
    }
    Ok(Done::of(moved))
}

#[cfg(test)]
mod tests;
