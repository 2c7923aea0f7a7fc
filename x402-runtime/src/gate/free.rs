//! Calls of an endpoint that are answered without payment while they last; everything else is the price's business.
//!
//! A request without payment takes a free call, if there is one for whoever signed in. Whatever stands against it (no sign-in, a
//! bad one, no call left, a ledger that does not answer), the request is answered as any unpaid one: 402, never 401. Its terms
//! then ask for a sign-in as well.

use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use futures_util::FutureExt as _;
use tokio::time::timeout;
use x402_model::price::{Allowance, Identify};
use x402_model::problem::{Problem, ProblemCode};

use super::body::{Unread, collect};
use super::checks::is_unpaid;
use super::entry::GateHandler;
use super::present::original_uri;
use super::{Gate, answers, caller};
use crate::allowance::{Allowances, Declined, FreeCall};
use crate::meter::Meter;
use crate::project;
use crate::siwx::SignedIn;
use crate::telemetry::event;

/// What an endpoint with free calls needs for them.
#[derive(Debug)]
pub(crate) struct Free {
    pub(crate) allowances: Arc<Allowances>,
    pub(crate) list: &'static [Allowance],
}

impl Free {
    /// A free call under the first allowance that has one.
    async fn take(
        &self,
        gate: &Gate,
        parts: &mut Parts,
        client: Option<IpAddr>,
    ) -> Option<FreeCall> {
        let endpoint = gate.endpoint.id();
        for allowance in self.list {
            match self.take_one(endpoint, allowance, parts, client).await {
                Ok(call) => return Some(call),
                Err(Declined::Ledger(error)) => gate.core.ledger_failed(&error),
                Err(declined) => {
                    tracing::debug!(name: event::REFUSED, endpoint, code = declined.code(), "a call is not free");
                }
            }
        }
        None
    }

    async fn take_one(
        &self,
        endpoint: &str,
        allowance: &Allowance,
        parts: &mut Parts,
        client: Option<IpAddr>,
    ) -> Result<FreeCall, Declined> {
        let caller = match (allowance.identify, self.allowances.sign_in()) {
            (Identify::Nothing, _) => None,
            (Identify::SignInWithX, Some(siwx)) => caller::of(siwx, parts).await?,
            _ => return Err(Declined::Unsupported),
        };
        let allowances = &self.allowances;
        allowances
            .take_as(endpoint, allowance, caller, client)
            .await
    }

    /// Asks for a sign-in in the terms of an answer.
    fn ask(&self, response: Response, path: &str) -> Response {
        match self.allowances.sign_in().filter(|_| self.asks_who()) {
            Some(siwx) => caller::ask(siwx, response, path),
            None => response,
        }
    }

    /// Whether some calls are free for those only who sign in.
    pub(super) fn asks_who(&self) -> bool {
        self.list
            .iter()
            .any(|one| one.identify == Identify::SignInWithX)
    }

    /// A free call for somebody who may have signed in already.
    pub(super) async fn take_as(
        &self,
        gate: &Gate,
        caller: Option<&SignedIn>,
        client: Option<IpAddr>,
    ) -> Option<FreeCall> {
        let endpoint = gate.endpoint.id();
        for allowance in self.list {
            let caller = match allowance.identify {
                Identify::SignInWithX => match caller {
                    Some(caller) => Some(caller.clone()),
                    None => continue,
                },
                _ => None,
            };
            let taken = self
                .allowances
                .take_as(endpoint, allowance, caller, client)
                .await;
            match taken {
                Ok(call) => return Some(call),
                Err(Declined::Ledger(error)) => gate.core.ledger_failed(&error),
                Err(_) => {}
            }
        }
        None
    }
}

/// Answers a request to an endpoint with free calls.
pub(super) async fn answer<S: Clone + Send + Sync + 'static>(
    paid: GateHandler<S>,
    free: Arc<Free>,
    request: Request,
    state: S,
) -> Response {
    let uri = original_uri(&request);
    // Queries may be secrets of the caller's, and no wallet has to show them (G18).
    let path = project::url("", uri.path());
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let client = from.map(|ConnectInfo(address)| address.ip());
    let (mut parts, body) = request.into_parts();
    if is_unpaid(&parts.headers)
        && let Some(call) = free.take(&paid.gate, &mut parts, client).await
    {
        let request = Request::from_parts(parts, body);
        return serve(paid, free, call, request, state).await;
    }
    let request = Request::from_parts(parts, body);
    free.ask(paid.pay(request, state).await, &path)
}

/// Runs the handler for a free call. One that fails is given back, as a payment would not have been charged.
pub(super) async fn serve<S: Clone + Send + Sync + 'static>(
    paid: GateHandler<S>,
    free: Arc<Free>,
    call: FreeCall,
    mut request: Request,
    state: S,
) -> Response {
    let core = Arc::clone(&paid.gate.core);
    let place = match core.admit() {
        Ok(place) => place,
        Err(code) => {
            free.allowances.give_back(call).await;
            return answers::bare_problem(&Problem::new(code));
        }
    };
    // Who signed in is the gate's business, and the message lets its holder in.
    request.headers_mut().remove(caller::SIGN_IN_WITH_X);
    if let Some(meter) = Meter::unpriced(&paid.gate.endpoint.spec().price) {
        request.extensions_mut().insert(meter);
    }
    let limits = &core.limits;
    let run = async {
        let (parts, body) = paid.handler.answer(request, state).await.into_parts();
        match collect(body, limits.answer_cap).await {
            Ok(body) => Ok(Response::from_parts(parts, Body::from(body))),
            Err(Unread::TooLarge) => Err(ProblemCode::AnswerTooLarge),
            Err(Unread::Broken) => Err(ProblemCode::HandlerPanicked),
        }
    };
    let ran = match timeout(limits.handler_timeout, AssertUnwindSafe(run).catch_unwind()).await {
        Ok(Ok(ran)) => ran,
        Ok(Err(_panic)) => Err(ProblemCode::HandlerPanicked),
        Err(_) => Err(ProblemCode::HandlerTimeout),
    };
    drop(place);
    let response = ran.unwrap_or_else(|code| answers::bare_problem(&Problem::new(code)));
    if response.status() >= StatusCode::BAD_REQUEST {
        free.allowances.give_back(call).await;
    }
    answers::guarded(response)
}
