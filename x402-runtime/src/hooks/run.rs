//! Runs the seller's hooks so that none of them can hold up, break or outlive more than it may.

use std::collections::HashSet;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::Method;
use futures_util::FutureExt as _;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use x402_model::problem::{Problem, ProblemCode};

use super::{Failure, PaidCall, SellerHooks, Settlement};
use crate::bind::Terms;
use crate::extract::PaymentId;
use crate::ledger::{PaymentKey, Record, State};
use crate::telemetry::{event, paywall::hook_ended};

/// Hooks that are being told something, at the same time. What more of them should hear is dropped and counted.
const TOLD_AT_ONCE: usize = 256;
/// Settlements remembered as told. Forgetting one costs no more than telling it again.
const REMEMBERED: usize = 16_384;

/// The hooks of one paywall.
pub(crate) struct Hooks {
    seller: Arc<dyn SellerHooks>,
    time: Duration,
    room: Arc<Semaphore>,
    /// Settlements that are told and not final yet.
    told: Mutex<HashSet<PaymentKey>>,
}

/// A call that hooks are asked about, for as long as it takes.
#[derive(Debug)]
pub(crate) struct Call {
    method: Method,
    path: String,
    id: PaymentId,
    key: PaymentKey,
    terms: Arc<Terms>,
}

impl Call {
    pub(crate) fn new(method: Method, path: &str, key: PaymentKey, terms: Arc<Terms>) -> Self {
        Self {
            method,
            path: path.to_owned(),
            id: PaymentId::of(&key),
            key,
            terms,
        }
    }

    pub(crate) const fn key(&self) -> &PaymentKey {
        &self.key
    }

    pub(crate) fn terms(&self) -> &Terms {
        &self.terms
    }

    fn facts<'a>(&'a self, endpoint: &'a str) -> PaidCall<'a> {
        PaidCall {
            endpoint,
            method: &self.method,
            path: &self.path,
            payer: self.key.payer,
            network: &self.key.network,
            asset: self.terms.asset(),
            amount: self.terms.amount(),
            pay_to: self.terms.pay_to(),
            kind: self.terms.kind(),
            payment_id: &self.id,
        }
    }
}

/// Which of the hooks that decide.
#[derive(Clone, Copy)]
enum Asked {
    Before,
    After,
}

/// What a hook is told.
enum Told {
    Settled(Settlement),
    Failed(Failure),
}

impl Told {
    const fn hook(&self) -> &'static str {
        match self {
            Self::Settled(_) => "on_settled",
            Self::Failed(_) => "on_failure",
        }
    }

    /// Endpoint and payment.
    const fn about(&self) -> (&Arc<str>, &PaymentId) {
        match self {
            Self::Settled(settlement) => (&settlement.endpoint, &settlement.payment_id),
            Self::Failed(failure) => (&failure.endpoint, &failure.payment_id),
        }
    }

    fn did_not_hear(&self, outcome: &'static str, error: &str) {
        let (endpoint, payment) = self.about();
        failed(self.hook(), (endpoint, payment), outcome, error);
    }
}

impl Hooks {
    pub(crate) fn new(seller: Arc<dyn SellerHooks>, time: Duration) -> Self {
        Self {
            seller,
            time,
            room: Arc::new(Semaphore::new(TOLD_AT_ONCE)),
            told: Mutex::default(),
        }
    }

    /// How long one hook may take.
    pub(crate) const fn time(&self) -> Duration {
        self.time
    }

    /// Asks whether to have a payment verified.
    pub(crate) async fn before_verify(&self, endpoint: &str, call: &Call) -> Result<(), Problem> {
        self.ask(Asked::Before, call.facts(endpoint)).await
    }

    /// Asks whether to serve a payment that is valid.
    pub(crate) async fn after_verify(&self, endpoint: &str, call: &Call) -> Result<(), Problem> {
        self.ask(Asked::After, call.facts(endpoint)).await
    }

    async fn ask(&self, which: Asked, call: PaidCall<'_>) -> Result<(), Problem> {
        // Made inside, because the call itself may panic too.
        let (hook, asked) = match which {
            Asked::Before => {
                let asked = async { self.seller.before_verify(call).await };
                ("before_verify", AssertUnwindSafe(asked.boxed()))
            }
            Asked::After => {
                let asked = async { self.seller.after_verify(call).await };
                ("after_verify", AssertUnwindSafe(asked.boxed()))
            }
        };
        let (outcome, error) = match timeout(self.time, asked.catch_unwind()).await {
            Ok(Ok(Ok(()))) => {
                hook_ended(hook, "ok");
                return Ok(());
            }
            Ok(Ok(Err(rejected))) => match rejected.error() {
                None => {
                    hook_ended(hook, "refused");
                    return Err(rejected.problem());
                }
                Some(error) => ("failed", error.to_owned()),
            },
            Ok(Err(_panic)) => ("panicked", "it panicked".to_owned()),
            Err(_) => ("timeout", "no answer in time".to_owned()),
        };
        failed(hook, (call.endpoint, call.payment_id), outcome, &error);
        // Nobody said yes, so the answer is no.
        Err(Problem::new(ProblemCode::SellerCheckFailed))
    }

    /// Tells that a payment is settled.
    pub(crate) fn settled(&self, tasks: &TaskTracker, record: &Record) {
        if self.tell(tasks, Told::Settled(Settlement::of(record))) {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.len() >= REMEMBERED {
                told.clear();
            }
            told.insert(record.key.clone());
        }
    }

    /// Tells of a settlement that nobody in this process was told of: that of a process which is gone, or one too many at a time.
    pub(crate) fn settled_before(&self, tasks: &TaskTracker, record: &Record) {
        let told = |key| {
            let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            told.contains(key)
        };
        if record.state == State::Settled && !told(&record.key) {
            self.settled(tasks, record);
        }
    }

    /// A payment is closed: nobody looks at it again.
    pub(crate) fn closed(&self, key: &PaymentKey) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.remove(key);
    }

    /// Tells that a payment came to nothing.
    pub(crate) fn failed(&self, tasks: &TaskTracker, failure: Failure) {
        self.tell(tasks, Told::Failed(failure));
    }

    /// Runs a hook in a task that shutdown waits for. `false` if too many of them run.
    fn tell(&self, tasks: &TaskTracker, told: Told) -> bool {
        let Ok(place) = Arc::clone(&self.room).try_acquire_owned() else {
            told.did_not_hear("dropped", "too many hooks are busy");
            return false;
        };
        let (seller, time) = (Arc::clone(&self.seller), self.time);
        tasks.spawn(async move {
            let run = async {
                match &told {
                    Told::Settled(settlement) => seller.on_settled(settlement).await,
                    Told::Failed(failure) => seller.on_failure(failure).await,
                }
            };
            let ended = timeout(time, AssertUnwindSafe(run).catch_unwind()).await;
            let (outcome, error) = match ended {
                Ok(Ok(Ok(()))) => ("ok", None),
                Ok(Ok(Err(error))) => ("failed", Some(error.to_string())),
                Ok(Err(_panic)) => ("panicked", Some("it panicked".to_owned())),
                Err(_) => ("timeout", Some("no end in time".to_owned())),
            };
            match error {
                None => hook_ended(told.hook(), outcome),
                Some(error) => told.did_not_hear(outcome, &error),
            }
            drop(place);
        });
        true
    }
}

fn failed(
    hook: &'static str,
    (endpoint, payment): (&str, &PaymentId),
    outcome: &'static str,
    error: &str,
) {
    hook_ended(hook, outcome);
    tracing::warn!(name: event::HOOK_FAILED, endpoint, %payment, hook, error = %error.escape_debug(), "a seller's hook did not do its work");
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}
