//! The gates of an endpoint whose price changes at known times: which of them asks now, and which is still paid.
//!
//! ```text
//! … price of before ────────────────┤ from: the 402 tells the new price
//!                                    ├── payments of what was told before ──┤ from + maxTimeoutSeconds
//! ```
//!
//! A payment goes through the gate whose terms it is for, as a whole: what is metered is metered by the prices that were told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::Request;
use axum::response::Response;

use super::checks::{Presented, check};
use super::entry::GateHandler;
use super::present::original_uri;
use super::{Core, Gate, price};
use crate::timeline::Timeline;

/// The gates of one endpoint, by the time from which each asks.
#[derive(Debug)]
pub(crate) struct Stages {
    line: Timeline<Stage>,
}

/// One of the gates.
#[derive(Debug)]
struct Stage {
    gate: Arc<Gate>,
    /// The one before it, with the terms of this one in its answers, and until when it is paid, unix milliseconds.
    before: Option<(Arc<Gate>, u64)>,
    /// Whether the ledger knows its terms.
    published: AtomicBool,
}

impl Stages {
    /// The gates of an endpoint at each of its prices, in the order of time; `None` if there is only one.
    ///
    /// `published` is the place of the one whose terms the ledger knows.
    pub(crate) fn of(gates: &[Arc<Gate>], published: usize) -> Option<Self> {
        let (first, later) = gates.split_first().filter(|(_, later)| !later.is_empty())?;
        let stage = |place: usize, gate: &Arc<Gate>, before| Stage {
            gate: Arc::clone(gate),
            before,
            published: AtomicBool::new(place == published),
        };
        let mut line = Timeline::always(stage(0, first, None));
        let mut last = first;
        for (place, gate) in (1..).zip(later) {
            let from_ms = gate.endpoint.since().saturating_mul(1000);
            let told = last.endpoint.spec().timeout_seconds;
            // Tokens of quotes hold a little longer, for clocks that differ.
            let open = told.saturating_add(gate.core.limits.clock_skew_seconds);
            let until_ms = from_ms.saturating_add(open.saturating_mul(1000));
            let before = Arc::new(last.refusing_with(&gate.challenge));
            line = line.then(from_ms, stage(place, gate, Some((before, until_ms))));
            last = gate;
        }
        Some(Self { line })
    }

    /// The gate that asks at this time, and the one before it if that is still paid.
    pub(super) fn now(&self) -> (&Arc<Gate>, Option<&Arc<Gate>>) {
        // Every stage has the same clock.
        let now_ms = self.line.at(0).gate.core.clock.now_ms();
        let stage = self.line.at(now_ms);
        if !stage.published.load(Ordering::Relaxed)
            && !stage.published.swap(true, Ordering::Relaxed)
        {
            publish(Arc::clone(&stage.gate), now_ms);
        }
        let before = stage.before.as_ref();
        let before = before.filter(|(_, until_ms)| now_ms <= *until_ms);
        (&stage.gate, before.map(|(gate, _)| gate))
    }
}

/// Has the ledger remember terms that are told from now on, so that a later start knows that they may be paid.
fn publish(gate: Arc<Gate>, now_ms: u64) {
    if gate.endpoint.is_priced_by_request() {
        // What is told there is recognised by its token.
        return;
    }
    let tasks = gate.core.tasks.clone();
    tasks.spawn(async move {
        let core: &Core = &gate.core;
        let (accepts, timeout) = (
            gate.endpoint.accepts_json(),
            gate.endpoint.spec().timeout_seconds,
        );
        let published = core
            .ledger
            .publish_offers(gate.endpoint.id(), &accepts, timeout, now_ms);
        if let Err(error) = published.await {
            core.ledger_failed(&error);
        }
    });
}

/// Answers a payment that may be of what was told before the price changed.
pub(super) async fn answer<S: Clone + Send + Sync + 'static>(
    paid: GateHandler<S>,
    before: Arc<Gate>,
    request: Request,
    state: S,
) -> Response {
    let request = match &before.pricing {
        Some(pricing) => {
            let handler = Arc::clone(&paid.handler);
            let earlier = price::earlier(&before, pricing, handler, request, state.clone()).await;
            match earlier {
                Ok(response) => return response,
                Err(request) => request,
            }
        }
        None if !fits(&paid.gate, &request) && fits(&before, &request) => {
            let gate = before;
            return GateHandler { gate, ..paid }.pay(request, state).await;
        }
        None => request,
    };
    paid.pay(request, state).await
}

/// Whether a request presents a payment of the terms of this gate. Where the price depends on the request, none does yet.
fn fits(gate: &Gate, request: &Request) -> bool {
    let path = original_uri(request).path();
    let (_, presented) = check(gate, request.headers(), path);
    gate.pricing.is_none() && is_payment(&presented)
}

/// Whether a payment fits the terms.
pub(super) const fn is_payment(presented: &Presented) -> bool {
    matches!(presented, Presented::Proven(_) | Presented::Unproven(_))
}
