//! What a paywall counts beside its endpoints: work in flight, the ledger, the resolver.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use metrics::{
    Counter, Gauge, counter, describe_counter, describe_gauge, describe_histogram, gauge,
};

use super::{EndpointMetrics, Kind, METRICS, metric};
use crate::bind::BoundEndpoint;
use crate::facilitator::SettleOutcome;
use crate::ledger::{LedgerError, Record};

/// The metrics of one paywall.
pub(crate) struct PaywallMetrics {
    endpoints: HashMap<String, Arc<EndpointMetrics>>,
    in_flight: Gauge,
    resolver_due: Gauge,
    ledger_errors: [(&'static str, Counter); 6],
}

impl PaywallMetrics {
    /// Looks up the metrics of a paywall and of its endpoints.
    pub(crate) fn new(endpoints: &[BoundEndpoint]) -> Self {
        describe();
        let endpoints = endpoints
            .iter()
            .map(|endpoint| {
                let metrics = Arc::new(EndpointMetrics::new(endpoint));
                (endpoint.id().to_owned(), metrics)
            })
            .collect();
        Self {
            endpoints,
            in_flight: gauge!(metric::IN_FLIGHT),
            resolver_due: gauge!(metric::RESOLVER_DUE),
            ledger_errors: ["overloaded", "full", "closed", "store", "corrupt", "other"]
                .map(|kind| (kind, counter!(metric::LEDGER_ERRORS, "kind" => kind))),
        }
    }

    /// The metrics of an endpoint. `None` when it is not sold any more: records outlive endpoints.
    pub(crate) fn endpoint(&self, id: &str) -> Option<&Arc<EndpointMetrics>> {
        self.endpoints.get(id)
    }

    /// One more payment is in flight, until what this returns is dropped.
    pub(crate) fn in_flight(&self) -> InFlight {
        self.in_flight.increment(1);
        InFlight(self.in_flight.clone())
    }

    /// A settle call ended.
    pub(crate) fn settle_called(&self, record: &Record, outcome: &SettleOutcome, took: Duration) {
        if let Some(endpoint) = self.endpoint(&record.endpoint) {
            endpoint.settle_called(outcome, took);
        }
    }

    /// The money of a payment moved.
    pub(crate) fn settled(&self, record: &Record) {
        if let Some(endpoint) = self.endpoint(&record.endpoint) {
            endpoint.settled(record);
        }
    }

    /// The ledger failed.
    pub(crate) fn ledger_failed(&self, error: &LedgerError) {
        let kind = match error {
            LedgerError::Overloaded => "overloaded",
            LedgerError::Full => "full",
            LedgerError::Closed => "closed",
            LedgerError::Store(_) => "store",
            LedgerError::Corrupt(_) => "corrupt",
            _ => "other",
        };
        if let Some((_, count)) = self.ledger_errors.iter().find(|(known, _)| *known == kind) {
            count.increment(1);
        }
    }

    /// The resolver looked, and this many payments were due.
    pub(crate) fn due(&self, payments: usize) {
        // Far below what a float holds exactly: a look reads a bounded number.
        self.resolver_due
            .set(u32::try_from(payments).unwrap_or(u32::MAX));
    }
}

/// The resolver did something to a payment; `event` is one of a closed list. Looked up each time, because it is rare.
pub(crate) fn resolved(event: &'static str) {
    counter!(metric::RESOLVER, "event" => event).increment(1);
}

/// One of the seller's hooks ended, or was not called; both are of closed lists.
pub(crate) fn hook_ended(hook: &'static str, outcome: &'static str) {
    counter!(metric::HOOKS, "hook" => hook, "outcome" => outcome).increment(1);
}

/// A payment in flight.
#[derive(Debug)]
pub(crate) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// Tells the recorder what the metrics mean.
fn describe() {
    for metric in METRICS {
        match metric.kind {
            Kind::Counter => describe_counter!(metric.name, metric.meaning),
            Kind::Gauge => describe_gauge!(metric.name, metric.meaning),
            Kind::Histogram => {
                describe_histogram!(metric.name, metrics::Unit::Seconds, metric.meaning);
            }
        }
    }
}
