//! Calls that an endpoint gives away: who signed in and has some left is served without payment, everybody else is told the terms
//! and how to sign in.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;
use futures_util::FutureExt as _;
use tokio::time::timeout;
use x402_model::extension::siwx::KEY;
use x402_model::price::Allowance;
use x402_model::problem::{Problem, ProblemCode};

use super::entry::ErasedHandler;
use super::{Gate, answers};
use crate::allowance::{Allowances, Declined, FreeCall};
use crate::telemetry::event;

/// What an endpoint gives away.
#[derive(Debug)]
pub(crate) struct Free {
    allowances: Arc<Allowances>,
    list: &'static [Allowance],
}

impl Free {
    pub(crate) const fn new(allowances: Arc<Allowances>, list: &'static [Allowance]) -> Self {
        Self { allowances, list }
    }

    /// Takes a free call for a request without a payment. Whatever goes wrong, the call is to be paid.
    async fn take(&self, endpoint: &str, headers: &HeaderMap) -> Option<FreeCall> {
        for allowance in self.list {
            // The address of a connection is often that of a proxy, so it names nobody.
            match self
                .allowances
                .take(endpoint, allowance, headers, None)
                .await
            {
                Ok(call) => return Some(call),
                Err(Declined::Unknown) => {}
                Err(declined) => {
                    tracing::debug!(name: event::FREE_DECLINED, endpoint, code = declined.code(), "a free call was asked for in vain");
                }
            }
        }
        None
    }

    /// The gate whose 402 says how to sign in for this path.
    pub(super) fn told(&self, gate: &Gate, path_and_query: &str) -> Option<Gate> {
        let challenge = self.allowances.sign_in()?.challenge(path_and_query);
        let mut endpoint = gate.endpoint.clone();
        endpoint.advertise(KEY, challenge);
        Some(gate.with_challenge(crate::project::Challenge::new(&endpoint), endpoint))
    }
}

/// Serves a request for free, if its caller has a free call left; otherwise gives the request back.
pub(super) async fn serve<S: Clone + Send + Sync + 'static>(
    gate: &Gate,
    free: &Free,
    handler: &dyn ErasedHandler<S>,
    request: Request,
    state: &S,
) -> Result<Response, Request> {
    let Ok(_place) = gate.core.admit() else {
        return Err(request);
    };
    let Some(call) = free.take(gate.endpoint.id(), request.headers()).await else {
        return Err(request);
    };
    let answer = AssertUnwindSafe(handler.answer(request, state.clone())).catch_unwind();
    let response = match timeout(gate.core.limits.handler_timeout, answer).await {
        Ok(Ok(response)) if response.status().as_u16() < 400 => {
            tracing::debug!(name: event::FREE, endpoint = gate.endpoint.id(), "a free call was served");
            return Ok(answers::guarded(response));
        }
        // As with a payment: what fails is not counted.
        Ok(Ok(response)) => answers::guarded(response),
        Ok(Err(_panic)) => answers::bare_problem(&Problem::new(ProblemCode::HandlerPanicked)),
        Err(_) => answers::bare_problem(&Problem::new(ProblemCode::HandlerTimeout)),
    };
    free.allowances.give_back(call).await;
    Ok(response)
}
