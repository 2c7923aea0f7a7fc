//! What to do about an unresolved payment: pure decisions over a record, the chain's word and a time.

use crate::facilitator::Evidence;
use crate::gate::decision::can_settle;
use crate::ledger::{Event, Record, State};

/// Pause before the chain is asked again about a payment whose outcome is unknown: doubled per attempt, up to 32 times.
const ASK_PAUSE_MS: u64 = 1_000;
/// Pause before a payment whose outcome is unknown is sent again: doubled per attempt.
const SEND_PAUSE_MS: u64 = 5_000;
/// Pause between looks at a settled payment on its way to being final, and at an unsettled one that has expired.
const WATCH_PAUSE_MS: u64 = 4_000;
/// How long after its expiry a payment is closed by the clock when nobody can read the chain: a settled one as final, one that
/// was never in flight as failed. Long, because a node that is down for a moment must not decide about money: somebody else
/// may have sent the payer's authorization.
const BLIND_CLOSE_MS: u64 = 60 * 60 * 1_000;

/// What a record needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Nothing now.
    NotYet,
    /// Its owner is gone.
    LeaseOver,
    /// Its answer was stored and never settled.
    Settle,
    /// The chain's word.
    Ask,
}

/// What follows from the chain's word.
#[derive(Debug, Clone)]
pub(super) enum Verdict {
    /// Settle again, with the same authorization.
    Settle,
    /// Tell the ledger.
    Say(Box<Event>),
}

pub(super) fn look(record: &Record, now_ms: u64) -> Look {
    let expired = now_ms > record.valid_before.saturating_mul(1000);
    let since = now_ms.saturating_sub(record.updated_ms);
    // A refused payment is settled again only when the buyer says so.
    let tried = record.attempts > 0;
    match record.state {
        State::Reserved | State::Settling if now_ms >= record.lease_until_ms => Look::LeaseOver,
        State::Served if expired && since >= WATCH_PAUSE_MS => Look::Ask,
        State::Served
            if !tried && now_ms >= record.lease_until_ms && can_settle(record, now_ms) =>
        {
            Look::Settle
        }
        State::Unknown if since >= ASK_PAUSE_MS << doublings(record) => Look::Ask,
        State::Settled if since >= WATCH_PAUSE_MS => Look::Ask,
        _ => Look::NotYet,
    }
}

pub(super) fn judge(
    record: &Record,
    evidence: &Evidence,
    now_ms: u64,
    confirmations: u64,
) -> Verdict {
    let finalised = || Verdict::Say(Box::new(Event::Finalised));
    let say = || Verdict::Say(Box::new(Event::Evidence(evidence.clone())));
    match (record.state, evidence) {
        (
            State::Settled,
            Evidence::Paid {
                confirmations: deep,
                ..
            },
        ) if *deep >= confirmations => finalised(),
        (State::Settled, Evidence::Unavailable { .. }) if blind_close(record, now_ms) => {
            finalised()
        }
        (State::Settled, Evidence::Paid { .. } | Evidence::Unavailable { .. }) => say(),
        // The settlement was in a block that is not part of the chain any more.
        (State::Settled, _) => Verdict::Say(Box::new(Event::ReceiptGone)),
        (State::Unknown, Evidence::Unused { chain_time }) if *chain_time <= record.valid_before => {
            again_or(record, now_ms, say())
        }
        (State::Unknown, Evidence::Unavailable { .. }) => again_or(record, now_ms, say()),
        // Never in flight, and nobody can read the chain: its expiry is enough, in the end.
        (State::Served, Evidence::Unavailable { .. }) if blind_close(record, now_ms) => {
            Verdict::Say(Box::new(Event::Expired))
        }
        _ => say(),
    }
}

/// Sends the payment again if it lives long enough and its pause is over; the nonce makes that harmless.
fn again_or(record: &Record, now_ms: u64, otherwise: Verdict) -> Verdict {
    let pause = SEND_PAUSE_MS.saturating_mul((2 << doublings(record)) - 1);
    let due = now_ms >= record.created_ms.saturating_add(pause);
    if due && can_settle(record, now_ms) {
        Verdict::Settle
    } else {
        otherwise
    }
}

fn blind_close(record: &Record, now_ms: u64) -> bool {
    now_ms
        > record
            .valid_before
            .saturating_mul(1000)
            .saturating_add(BLIND_CLOSE_MS)
}

/// How often pauses have doubled: with every attempt after the first, up to five times.
fn doublings(record: &Record) -> u32 {
    record.attempts.saturating_sub(1).min(5)
}

#[cfg(test)]
mod tests;
