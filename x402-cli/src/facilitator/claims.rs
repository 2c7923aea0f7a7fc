//! Who may hear that a payment was settled: the caller it was settled for, and nobody else.
//!
//! A success answer makes a seller deliver. A seller without a ledger delivers once per success, so one payment must not be
//! a success twice. A seller with a ledger asks again after a lost answer and must then hear the success again. The two are
//! told apart by the `Idempotency-Key` header: whoever sends one says that all calls with this key are one operation.
//!
//! - The first caller that leads a payment's settlement holds the claim: its name, with its key or with the digest of its body.
//! - With a key, every repeat by the holder hears the success. Without one, exactly one call does.
//! - Nobody else hears a success while the claim stands. A request that differs in any field is verified anew and never
//!   answered from here.
//!
//! Forgetting a claim is safe: without a claim, a payment that the chain has already is a success for keyed callers only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alloy_primitives::{Address, B256};
use tokio::sync::watch;
use x402_runtime::evm::{Identified, Repeat};
use x402_runtime::facilitator::SettleOutcome;
use x402_runtime::model::wire::SettleResponse;

/// Claims remembered at once. Each but the running ones stands for money that moved, so a flood of them is dear.
const MAX_CLAIMS: usize = 65_536;
/// How long a claim is kept at least, and after its authorization has expired, in seconds.
const KEEP: u64 = 3_600;
/// How long a claim is kept at most, in seconds.
const KEEP_MOST: u64 = 86_400;

/// One payment: never the nonce alone, which two payers may share.
type Key = (u64, Address, Address, B256);

/// What a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    key: Key,
    /// A digest over every field that decides the outcome.
    fingerprint: B256,
    valid_before: u64,
}

impl From<&Identified> for Asked {
    fn from(identified: &Identified) -> Self {
        let payment = &identified.payment;
        let chain = payment.network.chain_id().unwrap_or_default();
        Self {
            key: (chain, payment.asset, payment.payer, payment.nonce),
            fingerprint: identified.fingerprint,
            valid_before: payment.valid_before,
        }
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claimant {
    /// The name of the caller's token; `None` without tokens.
    pub(super) caller: Option<Arc<str>>,
    /// What makes two calls one operation.
    pub(super) ticket: Ticket,
}

/// What makes two calls one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ticket {
    /// The digest of an `Idempotency-Key`.
    Key([u8; 32]),
    /// The digest of the body.
    Body([u8; 32]),
}

/// The claims of all payments.
#[derive(Debug)]
pub(super) struct Claims {
    max: usize,
    entries: Mutex<HashMap<Key, Entry>>,
}

#[derive(Debug)]
struct Entry {
    fingerprint: B256,
    claimant: Claimant,
    forget_at: u64,
    phase: Phase,
    /// Changes whenever the phase does.
    bell: watch::Sender<()>,
}

#[derive(Debug, Clone)]
enum Phase {
    /// The claimant's call is being answered.
    Running,
    /// This transaction was sent for it, and nobody knows yet what became of it.
    Open { transaction: String },
    /// The money moved. `heard` is whether a caller was told.
    Settled {
        response: Box<SettleResponse>,
        heard: bool,
    },
}

/// What a settle call is to do.
#[derive(Debug)]
pub(super) enum Part {
    /// Settle and report the outcome.
    Lead(Lead, Repeat),
    /// Wait until something changes, then ask again.
    Wait(watch::Receiver<()>),
    /// Answer this success.
    Success(Box<SettleResponse>),
    /// Answer that the nonce is used.
    Used,
    /// Have the request verified and nothing more: the settlement is another's, and its open transaction may be this one.
    Apart(Option<String>),
}

/// The right to settle a payment. Dropped without an outcome, the claim is forgotten.
#[derive(Debug)]
pub(super) struct Lead {
    claims: Arc<Claims>,
    key: Key,
    phase: Option<Phase>,
}

impl Claims {
    pub(super) fn new() -> Self {
        Self {
            max: MAX_CLAIMS,
            entries: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds a call's part in the settlement of its payment. `now` is in Unix seconds.
    pub(super) fn enter(self: &Arc<Self>, asked: Asked, claimant: &Claimant, now: u64) -> Part {
        let key = asked.key;
        let mut entries = self.lock();
        let Some(entry) = entries.get_mut(&key) else {
            self.make_room(&mut entries, now);
            let forget_at = asked.valid_before.max(now).saturating_add(KEEP);
            let entry = Entry {
                fingerprint: asked.fingerprint,
                claimant: claimant.clone(),
                forget_at: forget_at.min(now.saturating_add(KEEP_MOST)),
                phase: Phase::Running,
                bell: watch::Sender::new(()),
            };
            entries.insert(key, entry);
            // Without a claim, somebody else may have been told of an earlier transaction.
            let repeat = match claimant.ticket {
                Ticket::Key(_) => Repeat::Success,
                Ticket::Body(_) => Repeat::Joined,
            };
            return Part::Lead(self.lead(key), repeat);
        };
        let same = entry.fingerprint == asked.fingerprint;
        let holder = same && entry.claimant == *claimant;
        match &mut entry.phase {
            Phase::Running => Part::Wait(entry.bell.subscribe()),
            // The nonce was unused when that transaction was sent, so nobody was told of an earlier one.
            Phase::Open { .. } if holder => {
                entry.phase = Phase::Running;
                Part::Lead(self.lead(key), Repeat::Success)
            }
            Phase::Open { transaction } => Part::Apart(Some(transaction.clone())),
            Phase::Settled { response, heard } if holder => {
                let again = *heard && matches!(claimant.ticket, Ticket::Body(_));
                *heard = true;
                if again {
                    Part::Used
                } else {
                    Part::Success(response.clone())
                }
            }
            Phase::Settled { .. } if same => Part::Used,
            Phase::Settled { .. } => Part::Apart(None),
        }
    }

    fn lead(self: &Arc<Self>, key: Key) -> Lead {
        Lead {
            claims: Arc::clone(self),
            key,
            phase: None,
        }
    }

    /// Forgets claims that are old and, if that is not enough, some that are not.
    fn make_room(&self, entries: &mut HashMap<Key, Entry>, now: u64) {
        if entries.len() < self.max {
            return;
        }
        let running = |entry: &Entry| matches!(entry.phase, Phase::Running);
        entries.retain(|_, entry| running(entry) || entry.forget_at > now);
        let mut surplus = entries.len().saturating_sub(self.max - self.max / 16);
        entries.retain(|_, entry| {
            let keep = surplus == 0 || running(entry);
            surplus = surplus.saturating_sub(usize::from(!keep));
            keep
        });
    }

    /// Ends a call: `None` forgets the claim.
    fn end(&self, key: &Key, phase: Option<Phase>) {
        let mut entries = self.lock();
        let Some(phase) = phase else {
            // Dropping the bell wakes those who wait.
            entries.remove(key);
            return;
        };
        if let Some(entry) = entries.get_mut(key) {
            entry.phase = phase;
            entry.bell.send_replace(());
        }
    }
}

impl Lead {
    /// Reports how the settlement ended. Whoever is told of a success enters again for it.
    pub(super) fn ended(mut self, outcome: &SettleOutcome) {
        self.phase = match outcome {
            // A charge of nothing leaves the payment as it was: it may be charged yet.
            SettleOutcome::Settled(response) if response.transaction.is_empty() => None,
            SettleOutcome::Settled(response) => Some(Phase::Settled {
                response: Box::new(response.clone()),
                heard: false,
            }),
            SettleOutcome::Unknown {
                transaction: Some(transaction),
                ..
            } => Some(Phase::Open {
                transaction: transaction.clone(),
            }),
            // Nothing was sent for this claim; the next caller may have a better request, or more luck.
            SettleOutcome::Refused(_) | SettleOutcome::Unknown { .. } => None,
        };
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        self.claims.end(&self.key, self.phase.take());
    }
}

#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
