//! The gate on a paid handler: one request, from its payment header to its answer.
//!
//! | module | does |
//! |---|---|
//! | `entry` | sits on the handler in axum's router; answers unpaid requests at once |
//! | `checks` | header → verified payment, without IO |
//! | `caller` | who signed in, and the request to do so |
//! | `free` | calls that are answered without payment while they last |
//! | `plan` | calls that are paid from credit; `desk` sells it |
//! | `price` | the price of one request, where it depends on the request |
//! | `present` | body, fingerprint, hand-over to a tracked task |
//! | `flow` | reserve → run → store → settle |
//! | `metering` | what a call used, and what that costs |
//! | `stream` | answers that leave while they are made, and are settled when they end |
//! | `seller` | asks and tells the seller's hooks |
//! | `stages` | the gates of an endpoint whose price changes at known times |
//! | `decision` | what a record or an outcome means; pure |
//! | `answers` | outcomes → HTTP |

mod answers;
mod body;
mod caller;
mod checks;
mod core;
pub(crate) mod decision;
pub(crate) mod desk;
mod entry;
mod fingerprint;
mod flow;
pub(crate) mod free;
mod metering;
mod outlive;
pub(crate) mod plan;
mod present;
mod price;
mod seller;
pub(crate) mod settle;
mod stages;
mod stream;

use std::sync::Arc;

use crate::bind::{BoundEndpoint, Terms};
use crate::project::Challenge;
use crate::telemetry::EndpointMetrics;

pub(crate) use self::core::Core;
pub(crate) use answers::bare_problem;
pub(crate) use entry::{Door, Erased, ErasedHandler, GateHandler};
pub(crate) use flow::lease_ms as credit_lease_ms;
pub(crate) use present::original_uri;
pub(crate) use price::{Pricing, quote, volume};
pub(crate) use stages::Stages;

/// Terms that were published earlier and may still be paid.
#[derive(Debug, Clone)]
pub(crate) struct Earlier {
    pub(crate) terms: Vec<Arc<Terms>>,
    pub(crate) until_ms: u64,
}

/// The gate of one endpoint, and those of its other prices if its price changes.
#[derive(Debug)]
pub(crate) struct Sold {
    pub(crate) gate: Arc<Gate>,
    pub(crate) stages: Option<Arc<Stages>>,
}

/// Everything about one endpoint that its gate needs.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) endpoint: BoundEndpoint,
    pub(crate) challenge: Arc<Challenge>,
    /// Where the price depends on the request: how it is found.
    pub(crate) pricing: Option<Arc<Pricing>>,
    /// Where some calls are free.
    pub(crate) free: Option<Arc<free::Free>>,
    /// Where calls may be paid from credit.
    pub(crate) credit: Option<Arc<plan::Credit>>,
    pub(crate) earlier: Vec<Earlier>,
    pub(crate) core: Arc<Core>,
    pub(crate) metrics: Arc<EndpointMetrics>,
}

impl Gate {
    /// The same gate with other terms, which its answers do not tell.
    fn with_endpoint(&self, endpoint: BoundEndpoint) -> Self {
        Self {
            endpoint,
            challenge: Arc::clone(&self.challenge),
            pricing: None,
            free: None,
            credit: None,
            // Earlier terms were told for other requests.
            earlier: Vec::new(),
            core: Arc::clone(&self.core),
            metrics: Arc::clone(&self.metrics),
        }
    }

    /// The same gate for payments only, which tells the terms of another one when it refuses them.
    fn refusing_with(&self, challenge: &Arc<Challenge>) -> Self {
        Self {
            challenge: Arc::clone(challenge),
            pricing: self.pricing.clone(),
            earlier: self.earlier.clone(),
            ..self.with_endpoint(self.endpoint.clone())
        }
    }

    /// The same gate, which tells the terms of this endpoint.
    fn with_terms_of(&self, endpoint: BoundEndpoint) -> Self {
        Self {
            challenge: Arc::new(self.challenge.of(&endpoint)),
            ..self.with_endpoint(endpoint)
        }
    }
}
