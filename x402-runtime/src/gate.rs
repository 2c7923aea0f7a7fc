//! The gate on a paid handler: one request, from its payment header to its answer.
//!
//! | module | does |
//! |---|---|
//! | `entry` | sits on the handler in axum's router; answers unpaid requests at once |
//! | `checks` | header → verified payment, without IO |
//! | `present` | body, fingerprint, hand-over to a tracked task |
//! | `flow` | reserve → run → store → settle |
//! | `decision` | what a record or an outcome means; pure |
//! | `answers` | outcomes → HTTP |

mod answers;
mod body;
mod checks;
mod core;
pub(crate) mod decision;
mod entry;
mod fingerprint;
mod flow;
mod outlive;
mod present;
pub(crate) mod settle;

use std::sync::Arc;

use crate::bind::{BoundEndpoint, Terms};
use crate::project::Challenge;
use crate::telemetry::EndpointMetrics;

pub(crate) use self::core::Core;
pub(crate) use answers::bare_problem;
pub(crate) use entry::{Erased, ErasedHandler, GateHandler};

/// Terms that were published earlier and may still be paid.
#[derive(Debug)]
pub(crate) struct Earlier {
    pub(crate) terms: Vec<Arc<Terms>>,
    pub(crate) until_ms: u64,
}

/// Everything about one endpoint that its gate needs.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) endpoint: BoundEndpoint,
    pub(crate) challenge: Challenge,
    pub(crate) earlier: Vec<Earlier>,
    pub(crate) core: Arc<Core>,
    pub(crate) metrics: Arc<EndpointMetrics>,
}
