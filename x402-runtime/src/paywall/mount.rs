//! Mounted handlers and the router made of them.

use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodFilter, on};
use x402_model::endpoint::Method;

use crate::bind::Mounted;
use crate::gate::{ErasedHandler, Gate, GateHandler};
use crate::manifest::shapes::Describe;

/// A handler and where it is mounted.
pub(super) struct Mount<S> {
    pub(super) mounted: Mounted,
    /// Asks the handler's types for their schemas.
    pub(super) describe: Describe,
    pub(super) handler: Arc<dyn ErasedHandler<S>>,
}

/// A router with every gate on its handler. The routes are known not to clash.
pub(super) fn router<S>(gates: Vec<(Arc<Gate>, Arc<dyn ErasedHandler<S>>)>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    gates
        .into_iter()
        .fold(Router::new(), |router, (gate, handler)| {
            let filter = filter(gate.endpoint.method());
            let path = gate.endpoint.path().to_owned();
            router.route(&path, on(filter, GateHandler { gate, handler }))
        })
}

const fn filter(method: Method) -> MethodFilter {
    match method {
        // Includes HEAD, which axum answers by the GET handler.
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Patch => MethodFilter::PATCH,
        Method::Delete => MethodFilter::DELETE,
    }
}
