//! What one endpoint counts. Everything is looked up when the paywall is built; counting is one atomic operation.

use std::sync::OnceLock;
use std::time::Duration;

use alloy_primitives::Address;
use metrics::{Counter, Histogram, counter, histogram};
use x402_model::network::Network;
use x402_model::problem::ProblemCode;

use super::metric;
use crate::bind::BoundEndpoint;
use crate::facilitator::SettleOutcome;
use crate::ledger::Record;

/// How a presented payment was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answered {
    Paid,
    Uncharged,
    Refused,
    NotSettled,
    Pending,
}

impl Answered {
    const ALL: [Self; 5] = [
        Self::Paid,
        Self::Uncharged,
        Self::Refused,
        Self::NotSettled,
        Self::Pending,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Uncharged => "uncharged",
            Self::Refused => "refused",
            Self::NotSettled => "not_settled",
            Self::Pending => "pending",
        }
    }
}

/// The metrics of one endpoint.
pub(crate) struct EndpointMetrics {
    id: String,
    unpaid: Counter,
    answered: [(Answered, Counter); 5],
    /// By code. Looked up when a code first comes, because most of them never do.
    refused: Vec<(ProblemCode, OnceLock<Counter>)>,
    settled: Vec<Rail>,
    settle_seconds: [Histogram; 3],
    handler_seconds: Histogram,
}

struct Rail {
    network: Network,
    asset: Address,
    total: Counter,
}

/// The names of [`SettleOutcome`]'s variants, in their order.
const SETTLE_OUTCOMES: [&str; 3] = ["settled", "refused", "unknown"];

/// How a settle call ended, for fields and labels.
pub(crate) const fn settle_outcome(outcome: &SettleOutcome) -> &'static str {
    let [settled, refused, unknown] = SETTLE_OUTCOMES;
    match outcome {
        SettleOutcome::Settled(_) => settled,
        SettleOutcome::Refused(_) => refused,
        SettleOutcome::Unknown { .. } => unknown,
    }
}

impl EndpointMetrics {
    pub(crate) fn new(endpoint: &BoundEndpoint) -> Self {
        let id = || endpoint.id().to_owned();
        let rails = endpoint.terms().iter().map(|terms| {
            let (network, asset) = (terms.network(), terms.asset());
            Rail {
                network: network.clone(),
                asset: asset.address,
                total: counter!(
                    metric::SETTLED, "endpoint" => id(),
                    "network" => network.to_string(), "asset" => asset.symbol.to_string()
                ),
            }
        });
        Self {
            id: id(),
            unpaid: counter!(metric::UNPAID, "endpoint" => id()),
            answered: Answered::ALL.map(|how| {
                (
                    how,
                    counter!(metric::PAYMENTS, "endpoint" => id(), "outcome" => how.as_str()),
                )
            }),
            refused: ProblemCode::ALL
                .iter()
                .map(|code| (*code, OnceLock::new()))
                .collect(),
            settled: rails.collect(),
            settle_seconds: SETTLE_OUTCOMES.map(|outcome| {
                histogram!(metric::SETTLE_SECONDS, "endpoint" => id(), "outcome" => outcome)
            }),
            handler_seconds: histogram!(metric::HANDLER_SECONDS, "endpoint" => id()),
        }
    }

    /// Terms were told.
    pub(crate) fn unpaid(&self) {
        self.unpaid.increment(1);
    }

    /// A presented payment was answered.
    pub(crate) fn answered(&self, how: Answered) {
        if let Some((_, count)) = self.answered.iter().find(|(known, _)| *known == how) {
            count.increment(1);
        }
    }

    /// A request was refused.
    pub(crate) fn refused(&self, code: ProblemCode) {
        let Some((_, count)) = self.refused.iter().find(|(known, _)| *known == code) else {
            return;
        };
        let look_up =
            || counter!(metric::REFUSED, "endpoint" => self.id.clone(), "code" => code.as_str());
        count.get_or_init(look_up).increment(1);
    }

    /// The handler ended, whatever its answer.
    pub(crate) fn handled(&self, took: Duration) {
        self.handler_seconds.record(took);
    }

    /// A settle call ended.
    pub(super) fn settle_called(&self, outcome: &SettleOutcome, took: Duration) {
        let name = settle_outcome(outcome);
        let named = SETTLE_OUTCOMES.iter().zip(&self.settle_seconds);
        if let Some((_, seconds)) = named.into_iter().find(|(known, _)| **known == name) {
            seconds.record(took);
        }
    }

    /// The money of a payment moved. Amounts beyond 64 bits, which no counter holds, are in the ledger only; so are payments
    /// by terms of an earlier start whose token is not accepted any more.
    pub(super) fn settled(&self, record: &Record) {
        let key = &record.key;
        let rail = self
            .settled
            .iter()
            .find(|rail| rail.asset == key.asset && rail.network == key.network);
        if let (Some(rail), Ok(amount)) = (rail, u64::try_from(record.amount.get())) {
            rail.total.increment(amount);
        }
    }
}

impl std::fmt::Debug for EndpointMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EndpointMetrics")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
