//! Finishes payments that nobody waits for any more: leases that ended, answers that were never settled, outcomes nobody heard.

mod decide;

use std::sync::{Arc, Weak};

use futures_util::StreamExt;
use tokio::time::{MissedTickBehavior, interval, timeout};

use self::decide::{Look, Verdict, judge, look};
use crate::facilitator::Evidence;
use crate::gate::Core;
use crate::gate::settle::{Attempt, attempt};
use crate::ledger::{Advanced, Event, LedgerError, Record};
use crate::paywall::millis;

/// Payments looked at in one go.
const BATCH: usize = 64;
/// Payments looked at side by side.
const SIDE_BY_SIDE: usize = 8;
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
            tick(&core).await;
            round = round.wrapping_add(1);
            if round.is_multiple_of(PURGE_EVERY) {
                purge(&core).await;
            }
        }
    });
}

/// Looks at unresolved payments until nothing moves any more.
pub(crate) async fn recover(core: &Core) -> Recovered {
    let mut total = Recovered::default();
    for _ in 0..ROUNDS {
        let round = tick(core).await;
        total.looked_at = total.looked_at.saturating_add(round.looked_at);
        total.moved = total.moved.saturating_add(round.moved);
        if round.moved == 0 {
            break;
        }
    }
    total
}

async fn purge(core: &Core) {
    let before_ms = core
        .clock
        .now_ms()
        .saturating_sub(millis(core.limits.retention));
    match core.ledger.purge(before_ms, PURGE_BATCH).await {
        Ok(0) => {}
        Ok(removed) => tracing::debug!(name: "x402.purged", removed, "old payments were removed"),
        Err(error) => tracing::error!(name: "x402.ledger_failed", %error, "the ledger failed"),
    }
}

/// One look at the payments that are due.
async fn tick(core: &Core) -> Recovered {
    let records = match core.ledger.due(core.clock.now_ms(), BATCH).await {
        Ok(records) => records,
        Err(error) => {
            tracing::error!(name: "x402.ledger_failed", %error, "the ledger failed");
            return Recovered::default();
        }
    };
    let looked_at = records.len();
    let moved = futures_util::stream::iter(records)
        .map(|record| async move {
            resolve(core, record).await.unwrap_or_else(|error| {
                tracing::error!(name: "x402.ledger_failed", %error, "the ledger failed");
                false
            })
        })
        .buffer_unordered(SIDE_BY_SIDE)
        .filter(|moved| std::future::ready(*moved))
        .count()
        .await;
    Recovered { looked_at, moved }
}

/// Takes one payment a step further. `true` when it changed its state.
async fn resolve(core: &Core, record: Record) -> Result<bool, LedgerError> {
    let now_ms = core.clock.now_ms();
    match look(&record, now_ms) {
        Look::NotYet => Ok(false),
        Look::LeaseOver => advance(core, &record, Event::LeaseOver { now_ms }).await,
        Look::Settle => settle(core, &record).await,
        Look::Ask => {
            let evidence = ask(core, &record).await;
            match judge(&record, &evidence, now_ms, core.limits.confirmations) {
                Verdict::Settle => settle(core, &record).await,
                Verdict::Say(event) => advance(core, &record, *event).await,
            }
        }
    }
}

async fn ask(core: &Core, record: &Record) -> Evidence {
    let payment = record.payment_ref();
    let asked = core.facilitator.evidence(&payment);
    let evidence = timeout(core.limits.settle_timeout, asked).await;
    evidence.unwrap_or_else(|_| Evidence::Unavailable {
        reason: "no answer in time".to_owned(),
    })
}

async fn settle(core: &Core, record: &Record) -> Result<bool, LedgerError> {
    if core.closing.is_cancelled() {
        // Whatever is not sent by now waits for the next process.
        return Ok(false);
    }
    let attempt = attempt(core, &record.key).await?;
    Ok(matches!(
        attempt,
        Attempt::Settled(_) | Attempt::Refused(..)
    ))
}

async fn advance(core: &Core, record: &Record, event: Event) -> Result<bool, LedgerError> {
    let name = event.name();
    let (before, endpoint) = (record.state, record.endpoint.as_str());
    let moved = match core
        .ledger
        .advance(&record.key, event, core.clock.now_ms())
        .await?
    {
        Advanced::Done(record) => record.state != before,
        Advanced::Removed => true,
        // Somebody else was faster.
        Advanced::Lost(_) => false,
    };
    if moved {
        tracing::info!(name: "x402.resolved", endpoint, from = before.as_str(), event = name, "a payment moved");
    }
    Ok(moved)
}
