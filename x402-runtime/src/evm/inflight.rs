//! Joins concurrent settle calls of one payment into one settlement with one outcome.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alloy_primitives::B256;
use tokio::sync::watch;

use crate::evm::judge::Verdict;
use crate::evm::payment::PaymentId;

/// How far a settlement is.
#[derive(Debug, Clone)]
pub(crate) enum Progress {
    /// Nothing is with the network.
    Checking,
    /// This transaction is.
    Sent(B256),
    /// It is over.
    Done(Verdict),
}

/// The settlements that are going on. Its size is bounded by the permits that their tasks hold.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    entries: Mutex<HashMap<PaymentId, Entry>>,
}

#[derive(Debug)]
struct Entry {
    fingerprint: B256,
    progress: watch::Receiver<Progress>,
}

/// What a settle call is to do.
#[derive(Debug)]
pub(crate) enum Part {
    /// Settle, and tell the others through this.
    Lead(Lead, watch::Receiver<Progress>),
    /// Wait for the one that settles the same request.
    Follow(watch::Receiver<Progress>),
    /// Another request with the same payment id is being settled: wait until it is over, then start again.
    WaitForOther(watch::Receiver<Progress>),
}

/// The right to settle a payment. Dropping it without an outcome wakes the others empty-handed.
#[derive(Debug)]
pub(crate) struct Lead {
    id: PaymentId,
    all: Arc<InFlight>,
    progress: watch::Sender<Progress>,
}

impl InFlight {
    fn lock(&self) -> MutexGuard<'_, HashMap<PaymentId, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many settlements are going on.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Joins the settlement of a payment, or opens it.
    pub(crate) fn join(self: &Arc<Self>, id: PaymentId, fingerprint: B256) -> Part {
        let mut entries = self.lock();
        if let Some(entry) = entries.get(&id) {
            let progress = entry.progress.clone();
            return if entry.fingerprint == fingerprint {
                Part::Follow(progress)
            } else {
                Part::WaitForOther(progress)
            };
        }
        let (sender, progress) = watch::channel(Progress::Checking);
        entries.insert(
            id,
            Entry {
                fingerprint,
                progress: progress.clone(),
            },
        );
        Part::Lead(
            Lead {
                id,
                all: Arc::clone(self),
                progress: sender,
            },
            progress,
        )
    }
}

impl Lead {
    pub(crate) fn sent(&self, hash: B256) {
        self.progress.send_replace(Progress::Sent(hash));
    }

    /// Publishes the outcome; then the entry goes, and who comes later looks at the chain for itself.
    pub(crate) fn done(self, verdict: Verdict) {
        self.progress.send_replace(Progress::Done(verdict));
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        self.all.lock().remove(&self.id);
    }
}

/// Waits for an outcome; `Err` holds the transaction known when the settlement's task vanished without one.
pub(crate) async fn outcome(
    mut progress: watch::Receiver<Progress>,
) -> Result<Verdict, Option<B256>> {
    loop {
        if let Progress::Done(verdict) = &*progress.borrow_and_update() {
            return Ok(verdict.clone());
        }
        if progress.changed().await.is_err() {
            return Err(last_hash(&progress));
        }
    }
}

/// The transaction that is with the network, if one is.
pub(crate) fn last_hash(progress: &watch::Receiver<Progress>) -> Option<B256> {
    match &*progress.borrow() {
        Progress::Sent(hash) => Some(*hash),
        _ => None,
    }
}
