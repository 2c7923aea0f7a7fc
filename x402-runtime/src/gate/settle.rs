//! One attempt to move the money of a served payment: intent, call, outcome. Used by the gate and by the resolver.

use std::sync::Arc;

use tokio::time::{Instant, timeout};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use super::core::Core;
use super::decision::{UNNAMED_REFUSAL, settlement_event};
use crate::credit::sale;
use crate::extract::PaymentId;
use crate::facilitator::SettleOutcome;
use crate::ledger::{Advanced, Event, LedgerError, PaymentKey, Record, State, Twice};
use crate::paywall::millis;
use crate::telemetry::endpoint::settle_outcome;
use crate::telemetry::{event, span};

/// Time over the settle timeout before others may think that a settler is gone.
const LEASE_SLACK_MS: u64 = 3_000;

/// How an attempt ended.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// The money moved.
    Settled(Arc<Record>),
    /// Nothing moved and nothing is in flight.
    Refused(Arc<Record>, String),
    /// Nobody knows yet.
    Open(Arc<Record>),
    /// Somebody else was faster; the record as it is now, if there still is one.
    Lost(Option<Arc<Record>>),
}

/// Settles a payment that is served, or whose outcome is unknown, with its recorded authorization.
///
/// # Errors
/// When the ledger fails. If the intent could not be stored, the facilitator was not called.
pub(crate) async fn attempt(core: &Core, key: &PaymentKey) -> Result<Attempt, LedgerError> {
    let now_ms = core.clock.now_ms();
    let intended = core
        .ledger
        .advance(key, intend(core, now_ms), now_ms)
        .await?;
    carry_out(core, key, intended).await
}

/// Stores the answer of a reserved payment and settles it. `None` when `answered` was not applied: this answer is not the
/// payment's.
///
/// # Errors
/// As [`attempt`]. The answer may have been stored.
pub(crate) async fn first_attempt(
    core: &Core,
    key: &PaymentKey,
    answered: Event,
) -> Result<Option<Attempt>, LedgerError> {
    let now_ms = core.clock.now_ms();
    let events = [answered, intend(core, now_ms)];
    match core.ledger.advance_twice(key, events, now_ms).await? {
        Twice::First(_) => Ok(None),
        Twice::Second(intended) => carry_out(core, key, intended).await.map(Some),
    }
}

fn intend(core: &Core, now_ms: u64) -> Event {
    let lease = millis(core.limits.settle_timeout).saturating_add(LEASE_SLACK_MS);
    Event::Intend {
        owner: core.owner(),
        lease_until_ms: now_ms.saturating_add(lease),
    }
}

/// Does what was intended, if this is the one who may.
async fn carry_out(
    core: &Core,
    key: &PaymentKey,
    intended: Advanced,
) -> Result<Attempt, LedgerError> {
    let record = match intended {
        Advanced::Done(record) => record,
        Advanced::Removed => return Ok(Attempt::Lost(None)),
        Advanced::Lost(record) => return Ok(Attempt::Lost(record)),
    };
    crate::failpoint("c4_intent_stored");
    let event = if record.amount.is_zero() {
        // No facilitator is asked to move nothing.
        Event::Waived
    } else {
        let outcome = observed(core, &record).await;
        crate::failpoint("c6_answer_received");
        let event = settlement_event(&record, &outcome);
        log(&record, &outcome, &event);
        event
    };
    let refusal = match &event {
        Event::Refused { code } => Some(code.clone()),
        _ => None,
    };
    let advanced = core.ledger.advance(key, event, core.clock.now_ms()).await?;
    let record = match advanced {
        Advanced::Done(record) => record,
        Advanced::Removed => return Ok(Attempt::Lost(None)),
        Advanced::Lost(record) => return Ok(Attempt::Lost(record)),
    };
    if record.state.is_paid() {
        crate::failpoint("c7_settled");
        core.settled(&record);
        sale::book(core, &record).await?;
        return Ok(Attempt::Settled(record));
    }
    core.unsettled(&record, refusal.as_deref());
    Ok(match (record.state, refusal) {
        (State::Served, code) => {
            Attempt::Refused(record, code.unwrap_or_else(|| UNNAMED_REFUSAL.to_owned()))
        }
        _ => Attempt::Open(record),
    })
}

/// Calls the facilitator in a span of its own, and counts how that ended.
async fn observed(core: &Core, record: &Record) -> SettleOutcome {
    let span = settlement_span(record);
    let started = Instant::now();
    let outcome = call(core, record).instrument(span.clone()).await;
    let took = started.elapsed();
    span.record("outcome", settle_outcome(&outcome));
    span.record("duration_ms", millis(took));
    core.metrics.settle_called(record, &outcome, took);
    outcome
}

fn settlement_span(record: &Record) -> Span {
    tracing::info_span!(
        span::SETTLEMENT,
        endpoint = &*record.endpoint,
        payment = %PaymentId::of(&record.key),
        outcome = Empty,
        duration_ms = Empty
    )
}

/// Calls the facilitator. An answer that does not come in time is no answer.
async fn call(core: &Core, record: &Record) -> SettleOutcome {
    match timeout(
        core.limits.settle_timeout,
        core.facilitator.settle(&record.to_settle()),
    )
    .await
    {
        Ok(outcome) => outcome,
        Err(_) => SettleOutcome::Unknown {
            transaction: None,
            reason: "no answer in time".to_owned(),
        },
    }
}

fn log(record: &Record, outcome: &SettleOutcome, event: &Event) {
    let (endpoint, event) = (&*record.endpoint, event.name());
    let payment = || PaymentId::of(&record.key);
    match outcome {
        SettleOutcome::Settled(response) => {
            tracing::info!(name: event::SETTLE, endpoint, payment = %payment(), event, transaction = %response.transaction.escape_debug(), "a settle call ended");
        }
        SettleOutcome::Refused(response) => {
            let reason = response.error_reason.as_deref().unwrap_or_default();
            let message = response.error_message.as_deref().unwrap_or_default();
            tracing::warn!(
                name: event::SETTLE, endpoint, payment = %payment(), event, reason = %reason.escape_debug(), detail = %message.escape_debug(), "a settle call ended");
        }
        SettleOutcome::Unknown {
            transaction,
            reason,
        } => {
            tracing::warn!(name: event::SETTLE, endpoint, payment = %payment(), event, ?transaction, reason = %reason.escape_debug(), "a settle call ended");
        }
    }
}
