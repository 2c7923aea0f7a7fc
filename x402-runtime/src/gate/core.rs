//! What all gates of a paywall share.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alloy_primitives::Address;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use x402_model::network::Network;
use x402_model::problem::ProblemCode;

use crate::clock::Clock;
use crate::facilitator::Facilitator;
use crate::hooks::Hooks;
use crate::ledger::{Ledger, LedgerError};
use crate::paywall::Limits;
use crate::telemetry::paywall::InFlight;
use crate::telemetry::{PaywallMetrics, event};

/// The paywall's parts and its bookkeeping of work in flight.
pub(crate) struct Core {
    pub(crate) facilitator: Arc<dyn Facilitator>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
    /// Factories whose ERC-6492 wrappers are passed on to the facilitator.
    pub(crate) factories: Vec<Address>,
    /// Networks on which the facilitator takes version 1 payments as such.
    version_1: Vec<Network>,
    /// Tasks that must end before the process does.
    pub(crate) tasks: TaskTracker,
    /// Set once, when the paywall shuts down.
    pub(crate) closing: CancellationToken,
    pub(crate) metrics: PaywallMetrics,
    /// Whether calls may be paid from credit.
    pub(crate) sells_credit: bool,
    /// The seller's own word, if it has one.
    pub(crate) hooks: Option<Hooks>,
    admission: Arc<Semaphore>,
    next_owner: AtomicU64,
}

/// A place for one payment in flight, free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    _counted: InFlight,
}

impl Core {
    pub(crate) fn new(
        facilitator: Arc<dyn Facilitator>,
        ledger: Arc<dyn Ledger>,
        clock: Arc<dyn Clock>,
        limits: Limits,
        factories: Vec<Address>,
        version_1: Vec<Network>,
        metrics: PaywallMetrics,
    ) -> Self {
        Self {
            admission: Arc::new(Semaphore::new(
                limits.max_in_flight.min(Semaphore::MAX_PERMITS),
            )),
            facilitator,
            ledger,
            clock,
            limits,
            factories,
            version_1,
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            metrics,
            sells_credit: false,
            hooks: None,
            // Owners must differ between processes that share a ledger: start at a random number.
            next_owner: AtomicU64::new(RandomState::new().build_hasher().finish()),
        }
    }

    /// The same, of a paywall that sells credit or does not.
    pub(crate) fn with_credit(self, sold: bool) -> Self {
        Self {
            sells_credit: sold,
            ..self
        }
    }

    /// The same with the seller's hooks.
    pub(crate) fn with_hooks(self, hooks: Option<Hooks>) -> Self {
        Self { hooks, ..self }
    }

    /// Whether the facilitator takes version 1 payments on this network as such.
    pub(crate) fn facilitator_speaks_v1(&self, network: &Network) -> bool {
        self.version_1.contains(network)
    }

    /// A place for one payment in flight, or why there is none.
    pub(crate) fn admit(&self) -> Result<Place, ProblemCode> {
        if self.closing.is_cancelled() {
            return Err(ProblemCode::ShuttingDown);
        }
        Arc::clone(&self.admission)
            .try_acquire_owned()
            .map(|permit| Place {
                _permit: permit,
                _counted: self.metrics.in_flight(),
            })
            .map_err(|_| match self.closing.is_cancelled() {
                true => ProblemCode::ShuttingDown,
                false => ProblemCode::Overloaded,
            })
    }

    /// Tells the operator that the ledger failed.
    pub(crate) fn ledger_failed(&self, error: &LedgerError) {
        tracing::error!(name: event::LEDGER_FAILED, %error, "the ledger failed");
        self.metrics.ledger_failed(error);
    }

    /// A number that no other attempt uses.
    pub(crate) fn owner(&self) -> u64 {
        self.next_owner.fetch_add(1, Ordering::Relaxed)
    }

    /// Refuses new payments and waits for those in flight. `false` when the time was not enough.
    pub(crate) async fn drain(&self) -> bool {
        self.closing.cancel();
        self.tasks.close();
        let all = u32::try_from(self.limits.max_in_flight.min(Semaphore::MAX_PERMITS))
            .unwrap_or(u32::MAX);
        let drained = async {
            // Every payment holds a permit from before its body is read until its task ends, so once all permits are
            // here nothing is in flight, and closing the semaphore lets nothing in again.
            let permits = self.admission.acquire_many(all).await;
            self.admission.close();
            drop(permits);
            self.tasks.wait().await;
        };
        tokio::time::timeout(self.limits.drain_timeout, drained)
            .await
            .is_ok()
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("limits", &self.limits)
            .field(
                "in_flight",
                &(self
                    .limits
                    .max_in_flight
                    .saturating_sub(self.admission.available_permits())),
            )
            .field("closing", &self.closing.is_cancelled())
            .finish_non_exhaustive()
    }
}
