//! The one function that decides how a payment moves: `Record` + `Event` in, `Step` or `Illegal` out, no IO and no clock.

use super::event::Event;
use super::record::{Record, State, StoredAnswer};
use crate::facilitator::Evidence;
use std::sync::Arc;
use x402_model::money::AtomicAmount;
use x402_model::wire::SettleResponse;

/// What an event does to a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What the record becomes.
    pub next: Next,
    /// How durable the write must be before the caller may go on.
    pub durability: Commit,
}

impl Step {
    /// The step with the time at which it is taken, unix milliseconds, in [`Record::updated_ms`]. Stores call it before they
    /// write.
    #[must_use]
    pub fn at(mut self, now_ms: u64) -> Self {
        if let Next::Become(record) = &mut self.next {
            Arc::make_mut(record).updated_ms = now_ms;
        }
        self
    }
}

/// What a record becomes.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// The record goes; the payment is free to be presented again.
    Remove,
    /// The record changes to this.
    Become(Arc<Record>),
}

/// How durable a write must be when the ledger returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Commit {
    /// May be lost with the power: what is on the disk then leads to the same end, if need be by way of the chain. The next
    /// hard write covers it.
    Soft,
    /// Survives a power cut: money may move after it, or provably cannot any more.
    Hard,
}

/// Why an event was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Illegal {
    /// The record is not in a state in which this can happen.
    #[error("`{event}` cannot happen to a payment that is {state}")]
    State {
        /// The state found.
        state: State,
        /// The event's name.
        event: &'static str,
    },
    /// Somebody else owns the record.
    #[error("the payment belongs to another owner")]
    Owner,
    /// The owner's lease still runs.
    #[error("the owner's lease is not over")]
    LeaseRunning,
    /// A settlement must be reported as a success and name its transaction.
    #[error("the facilitator's answer does not report a success with a transaction")]
    NotSuccessful,
    /// More was metered than was signed.
    #[error("the charge is above what was signed")]
    AboveCeiling,
    /// Something is due, so it must be settled.
    #[error("something is due")]
    Due,
}

/// Decides what `event` does to `record`. Pure: same input, same output.
///
/// The rules:
/// 1. Every allowed pair of state and event is listed here; everything else is [`Illegal`].
/// 2. The first stored answer is the only one there will ever be.
/// 3. A timeout is not a failure: [`Event::Unanswered`] leads to [`State::Unknown`].
/// 4. Only the chain fails a payment that may have been sent, and not before the authorization has expired on the chain's
///    own clock (a transaction under way may still be mined).
/// 5. A paid record never fails. When its receipt vanishes, its outcome is unknown again.
/// 6. One hard write per paid call: the intent. Before it nothing was sent; after it the answer is on the disk and the
///    resolver finds the transfer, so that the settlement itself may be lost with the power.
/// 7. What is settled is what was recorded before: the price, or what was metered, which is never above what was signed.
///
/// Times are left alone: see [`Step::at`].
///
/// # Errors
///
/// [`Illegal`] when the event cannot happen to this record. Nothing must be written then.
pub fn step(record: &Record, event: &Event) -> Result<Step, Illegal> {
    match event {
        Event::HandlerFailed { owner } => {
            unanswered(record, event)?;
            owned_by(record, *owner)?;
            Ok(Step {
                next: Next::Remove,
                durability: Commit::Soft,
            })
        }
        Event::LeaseOver { now_ms } => lease_over(record, event, *now_ms),
        Event::Answered {
            owner,
            answer,
            charge,
        } => answered(record, event, *owner, answer, *charge),
        Event::Metered {
            owner,
            charge,
            lease_until_ms,
        } => metered(record, event, *owner, *charge, *lease_until_ms),
        Event::Waived => waived(record, event),
        Event::Intend {
            owner,
            lease_until_ms,
        } => intended(record, event, *owner, *lease_until_ms),
        Event::Settled { response } => {
            expect(
                record,
                event,
                &[State::Served, State::Settling, State::Unknown],
            )?;
            if !response.is_settled() {
                return Err(Illegal::NotSuccessful);
            }
            Ok(settled(record, response.clone()))
        }
        Event::Refused { code } => refused(record, event, code),
        Event::Unanswered { transaction } => {
            expect(record, event, &[State::Settling, State::Unknown])?;
            Ok(doubt(record, transaction.as_deref()))
        }
        Event::Evidence(evidence) => judge(record, event, evidence),
        Event::Finalised => {
            expect(record, event, &[State::Settled])?;
            Ok(become_with(record, Commit::Soft, |next| {
                next.state = State::Final
            }))
        }
        Event::ReceiptGone => {
            expect(record, event, &[State::Settled])?;
            Ok(doubt(record, None))
        }
        Event::Expired => {
            // Served means: never sent, or every call was refused with nothing in flight.
            expect(record, event, &[State::Served])?;
            Ok(failed(record))
        }
    }
}

fn lease_over(record: &Record, event: &Event, now_ms: u64) -> Result<Step, Illegal> {
    expect(record, event, &[State::Reserved, State::Settling])?;
    if now_ms < record.lease_until_ms {
        return Err(Illegal::LeaseRunning);
    }
    if record.state == State::Reserved {
        return Ok(Step {
            next: Next::Remove,
            durability: Commit::Soft,
        });
    }
    // The owner may have died before, during or after its settle call, or may still be waiting.
    Ok(doubt(record, None))
}

fn intended(
    record: &Record,
    event: &Event,
    owner: u64,
    lease_until_ms: u64,
) -> Result<Step, Illegal> {
    expect(record, event, &[State::Served, State::Unknown])?;
    Ok(become_with(record, Commit::Hard, |next| {
        next.state = State::Settling;
        next.owner = owner;
        next.lease_until_ms = lease_until_ms;
    }))
}

fn answered(
    record: &Record,
    event: &Event,
    owner: u64,
    answer: &Arc<StoredAnswer>,
    charge: Option<AtomicAmount>,
) -> Result<Step, Illegal> {
    unanswered(record, event)?;
    owned_by(record, owner)?;
    if let Some(charge) = charge {
        below_ceiling(record, charge)?;
    }
    Ok(become_with(record, Commit::Soft, |next| {
        next.state = State::Served;
        next.amount = charge.unwrap_or(record.amount);
        next.answer = Some(Arc::clone(answer));
    }))
}

fn metered(
    record: &Record,
    event: &Event,
    owner: u64,
    charge: AtomicAmount,
    lease_until_ms: u64,
) -> Result<Step, Illegal> {
    unanswered(record, event)?;
    owned_by(record, owner)?;
    below_ceiling(record, charge)?;
    Ok(become_with(record, Commit::Soft, |next| {
        next.state = State::Served;
        next.amount = charge;
        next.lease_until_ms = lease_until_ms;
    }))
}

fn waived(record: &Record, event: &Event) -> Result<Step, Illegal> {
    expect(
        record,
        event,
        &[State::Served, State::Settling, State::Unknown],
    )?;
    if !record.amount.is_zero() {
        return Err(Illegal::Due);
    }
    Ok(become_with(record, Commit::Hard, |next| {
        next.state = State::Final;
        next.settlement = Some(record.settlement_in(""));
    }))
}

/// Refuses a record whose handler is done: one that is reserved, or whose answer is leaving while it is made, still runs.
fn unanswered(record: &Record, event: &Event) -> Result<(), Illegal> {
    expect(record, event, &[State::Reserved, State::Served])?;
    if record.state == State::Reserved || record.is_streaming() {
        Ok(())
    } else {
        Err(illegal(record, event))
    }
}

fn below_ceiling(record: &Record, charge: AtomicAmount) -> Result<(), Illegal> {
    match record.ceiling() {
        Some(ceiling) if charge <= ceiling => Ok(()),
        _ => Err(Illegal::AboveCeiling),
    }
}

fn refused(record: &Record, event: &Event, code: &str) -> Result<Step, Illegal> {
    expect(record, event, &[State::Settling])?;
    Ok(become_with(record, Commit::Soft, |next| {
        // A refusal speaks for its own call. If an earlier one went unanswered, its transfer may still land.
        next.state = if record.in_doubt {
            State::Unknown
        } else {
            State::Served
        };
        next.refusal = Some(code.to_owned());
        next.attempts = record.attempts.saturating_add(1);
    }))
}

/// What the chain's word means for a record.
fn judge(record: &Record, event: &Event, evidence: &Evidence) -> Result<Step, Illegal> {
    expect(
        record,
        event,
        &[
            State::Served,
            State::Settling,
            State::Unknown,
            State::Settled,
        ],
    )?;
    if record.state == State::Settled {
        return match evidence {
            // The same authorization may have been mined again in another transaction.
            Evidence::Paid { transaction, .. } => Ok(become_with(record, Commit::Soft, |next| {
                next.transaction = Some(transaction.clone());
            })),
            Evidence::Unavailable { .. } => Ok(looked_at(record)),
            // Never failed directly: `ReceiptGone` reopens the record first.
            Evidence::Cancelled { .. } | Evidence::Mismatch { .. } | Evidence::Unused { .. } => {
                Err(illegal(record, event))
            }
        };
    }
    Ok(match evidence {
        Evidence::Paid { transaction, .. } => settled(record, record.settlement_in(transaction)),
        // The nonce is used up without paying us; it can never pay any more.
        Evidence::Cancelled { .. } | Evidence::Mismatch { .. } => failed(record),
        // Strictly later: EIP-3009 accepts `now < validBefore`, and the chain's clock is the one that counts.
        Evidence::Unused { chain_time } if *chain_time > record.valid_before => failed(record),
        Evidence::Unused { .. } | Evidence::Unavailable { .. } => looked_at(record),
    })
}

fn settled(record: &Record, response: SettleResponse) -> Step {
    let durability = match record.state {
        // Somebody else sent it: no intent of ours has brought the answer to the disk.
        State::Served => Commit::Hard,
        _ => Commit::Soft,
    };
    become_with(record, durability, |next| {
        next.state = State::Settled;
        if !response.transaction.is_empty() {
            next.transaction = Some(response.transaction.clone());
        }
        next.settlement = Some(response);
    })
}

fn failed(record: &Record) -> Step {
    become_with(record, Commit::Hard, |next| {
        next.state = State::Failed;
        // Not paid for, so it must not exist any more.
        next.answer = None;
        next.settlement = None;
    })
}

/// The outcome is open; a transfer may still land.
fn doubt(record: &Record, transaction: Option<&str>) -> Step {
    become_with(record, Commit::Soft, |next| {
        if record.state == State::Settling {
            next.attempts = record.attempts.saturating_add(1);
        }
        next.state = State::Unknown;
        next.in_doubt = true;
        next.settlement = None;
        if let Some(transaction) = transaction {
            next.transaction = Some(transaction.to_owned());
        }
    })
}

/// Nothing decided; the caller's new `updated_ms` puts the record at the back of the resolver's queue.
fn looked_at(record: &Record) -> Step {
    become_with(record, Commit::Soft, |_| {})
}

fn become_with(record: &Record, durability: Commit, change: impl FnOnce(&mut Record)) -> Step {
    let mut next = record.clone();
    change(&mut next);
    Step {
        next: Next::Become(Arc::new(next)),
        durability,
    }
}

fn expect(record: &Record, event: &Event, allowed: &[State]) -> Result<(), Illegal> {
    if allowed.contains(&record.state) {
        Ok(())
    } else {
        Err(illegal(record, event))
    }
}

fn owned_by(record: &Record, owner: u64) -> Result<(), Illegal> {
    if record.owner == owner {
        Ok(())
    } else {
        Err(Illegal::Owner)
    }
}

const fn illegal(record: &Record, event: &Event) -> Illegal {
    Illegal::State {
        state: record.state,
        event: event.name(),
    }
}
