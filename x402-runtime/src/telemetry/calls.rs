//! What is counted of the HTTP calls to one provider.

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{Gauge, Histogram, gauge, histogram};

use super::metric;
use crate::clock::{Clock as _, SystemClock};
use crate::facilitator::http::Operation;

/// How an exchange can end, for labels.
const OUTCOMES: [&str; 8] = [
    "2xx",
    "3xx",
    "4xx",
    "5xx",
    "other",
    "timeout",
    "unreachable",
    "bad_answer",
];
const OPERATIONS: [Operation; 3] = [Operation::Verify, Operation::Settle, Operation::Supported];

/// The metrics of one provider. Each is looked up when it is first needed.
pub(crate) struct ProviderMetrics {
    provider: String,
    seconds: Vec<(Operation, &'static str, OnceLock<Histogram>)>,
    kinds: OnceLock<Gauge>,
}

impl ProviderMetrics {
    /// For the provider at `host`, which comes from the seller's configuration.
    pub(crate) fn new(host: &str) -> Self {
        let each = |operation| OUTCOMES.map(|outcome| (operation, outcome, OnceLock::new()));
        Self {
            provider: host.to_owned(),
            seconds: OPERATIONS.into_iter().flat_map(each).collect(),
            kinds: OnceLock::new(),
        }
    }

    /// An exchange ended.
    pub(crate) fn called(&self, operation: Operation, outcome: &'static str, took: Duration) {
        let found = self
            .seconds
            .iter()
            .find(|(known, how, _)| *known == operation && *how == outcome);
        if let Some((_, _, seconds)) = found {
            let look_up = || {
                histogram!(
                    metric::FACILITATOR_SECONDS, "provider" => self.provider.clone(),
                    "operation" => operation.as_str(), "outcome" => outcome
                )
            };
            seconds.get_or_init(look_up).record(took);
        }
    }

    /// The provider said what it supports, just now.
    pub(crate) fn kinds_are_fresh(&self) {
        let look_up = || gauge!(metric::KINDS_TIMESTAMP, "provider" => self.provider.clone());
        let now = u32::try_from(SystemClock.now_seconds()).unwrap_or(u32::MAX);
        self.kinds.get_or_init(look_up).set(now);
    }
}

/// The label of an answer with this status.
pub(crate) const fn status_class(status: u16) -> &'static str {
    match status {
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500..600 => "5xx",
        _ => "other",
    }
}
