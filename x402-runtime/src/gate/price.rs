//! The price of one request, where it is not the same for every call: what the terms of its 402 ask for, and what a payment of
//! it must pay.
//!
//! ```text
//! request ─▶ body, if the price looks at it ─▶ evaluate ─▶ quote function, if it is dynamic ─▶ a gate with terms at that price
//!            what its payer bought, likewise     │                                               (kept, by price)
//!                                                ▼ nothing due: the handler, unpaid
//! ```
//!
//! A price that was told is kept to for as long as it said: the terms carry a token that binds them to the request (see
//! [`quote`]), so that a payment of them is recognised whatever the price is by then.
//!
//! The payer of a request without a payment is whoever signed in. A price that is lower because of what he bought is told to him
//! only. Of a payment that repeats no such terms (version 1 cannot) its signer is the payer: it may pay the full price, which is
//! told to everybody, or his own.

mod asked;
mod pricer;
mod problem;
pub(crate) mod quote;
pub(crate) mod volume;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::Request;
use axum::response::Response;
use x402_model::price::{Needs, Price};
use x402_model::problem::ProblemCode;

use self::asked::ask;
pub(super) use self::asked::{captures, facts};
use self::pricer::{Priced, Pricer};
use self::problem::PriceProblem;
pub(super) use self::problem::refusal;
use self::quote::Quotes;
use super::checks::{Presented, Refusal, check, is_unpaid};
use super::entry::ErasedHandler;
use super::plan::run_of;
use super::present::{original_uri, serve};
use super::stages::is_payment;
use super::{Gate, answers, caller, plan};
use crate::allowance::Allowances;
use crate::project;
use crate::siwx::Siwx;
use crate::telemetry::event;

/// How many prices keep a gate. A price table has fewer; a quote function may have any number.
const MAX_GATES: usize = 1_024;

/// What the gate of an endpoint needs whose price depends on the request.
#[derive(Debug)]
pub(crate) struct Pricing {
    needs: Needs,
    quotes: Arc<Quotes>,
    /// Knows who signs in.
    callers: Option<Arc<Allowances>>,
    gates: Mutex<HashMap<Price, Arc<Gate>>>,
}

impl Pricing {
    pub(crate) fn new(needs: Needs, quotes: Arc<Quotes>, callers: Option<Arc<Allowances>>) -> Self {
        Self {
            needs,
            quotes,
            callers,
            gates: Mutex::default(),
        }
    }

    /// What knows who signs in, if the price depends on who pays.
    fn sign_in(&self) -> Option<&Siwx> {
        let callers = self.callers.as_ref().filter(|_| self.needs.volume);
        callers.and_then(|callers| callers.sign_in())
    }

    /// The gate that asks for this price.
    fn gate(&self, base: &Gate, price: Price) -> Result<Arc<Gate>, PriceProblem> {
        let gates = || self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = gates().get(&price) {
            return Ok(Arc::clone(gate));
        }
        let endpoint = base.endpoint.at(price.clone()).map_err(|error| {
            // Prices of a table were looked at before the start; this one a quote function made.
            tracing::error!(name: event::QUOTE_FAILED, endpoint = base.endpoint.id(), %price, %error, "a quoted price cannot be paid");
            PriceProblem::seller()
        })?;
        let gate = Arc::new(base.with_terms_of(endpoint));
        let mut gates = gates();
        if gates.len() >= MAX_GATES {
            gates.clear();
        }
        gates.insert(price, Arc::clone(&gate));
        Ok(gate)
    }
}

/// Answers a request whose price is not known beforehand. Terms that could be lower for who signs in ask for it.
pub(super) async fn answer<S: Clone + Send + Sync + 'static>(
    base: Arc<Gate>,
    pricing: Arc<Pricing>,
    handler: Arc<dyn ErasedHandler<S>>,
    request: Request,
    state: S,
) -> Response {
    // Queries may be secrets of the caller's, and no wallet has to show them (G18).
    let signs_in = pricing.sign_in().is_some();
    let path = signs_in.then(|| project::url("", original_uri(&request).path()));
    let response = at_its_price(base, &pricing, handler, request, state).await;
    match (pricing.sign_in(), path) {
        (Some(siwx), Some(path)) => caller::ask(siwx, response, &path),
        _ => response,
    }
}

async fn at_its_price<S: Clone + Send + Sync + 'static>(
    base: Arc<Gate>,
    pricing: &Pricing,
    handler: Arc<dyn ErasedHandler<S>>,
    request: Request,
    state: S,
) -> Response {
    let unpaid = is_unpaid(request.headers());
    let uri = original_uri(&request).clone();
    let mut asked = match ask(&base, pricing, request, uri.clone()).await {
        Ok(asked) => asked,
        Err(refusal) => return answers::refusal(&base, uri.path(), &refusal),
    };
    let pricer = Pricer {
        base: &base,
        pricing,
        handler: &*handler,
        state: &state,
    };
    let priced = match pricer.promised(&asked) {
        Some(priced) => Ok(Some(priced)),
        None => match pricer.signed_in(&mut asked, unpaid).await {
            Ok(payer) => pricer.price(&mut asked, payer).await,
            Err(problem) => Err(problem),
        },
    };
    let priced = match priced {
        Ok(Some(priced)) => priced,
        // Nothing is due. A payment that came along stays unused.
        Ok(None) => {
            let mut request = Request::from_parts(asked.parts, asked.body);
            request.headers_mut().remove(caller::SIGN_IN_WITH_X);
            return answers::guarded(handler.answer(request, state).await);
        }
        // A request that decides nothing wants to know what the endpoint costs. It is told without a promise: this very request
        // has no price, and is not served for that of the example.
        Err(problem) if unpaid && problem.missing && asked.read.is_empty() => {
            let unpaid = Refusal::from(ProblemCode::PaymentRequired);
            return answers::refusal(&base, uri.path(), &unpaid);
        }
        Err(problem) if unpaid => {
            return answers::refusal(&base, uri.path(), &Refusal::from(*problem.problem));
        }
        Err(problem) => {
            // It may have been served before: then its record decides, not its price.
            let (version, presented) = check(&base, &asked.parts.headers, uri.path());
            let presented = presented.late(Refusal::from(*problem.problem));
            let request = Request::from_parts(asked.parts, asked.body);
            let run = Box::new(move |request| handler.answer(request, state));
            return serve(base, request, version, presented, run).await;
        }
    };
    // Whoever has credit pays from it, at the price of this request.
    if plan::is_holder(&asked.parts.extensions) {
        let request = Request::from_parts(asked.parts, asked.body);
        match plan::spend(&priced.gate, request, run_of(&handler, &state)).await {
            Ok(response) => return response,
            Err(request) => (asked.parts, asked.body) = request.into_parts(),
        }
    }
    let (priced, version, presented) = pricer.present(&mut asked, priced).await;
    if let Presented::Refused(refusal) = &presented {
        return pricer.refuse(&mut asked, priced, refusal).await;
    }
    crate::failpoint("c0_header_parsed");
    let request = Request::from_parts(asked.parts, asked.body);
    let run = Box::new(move |request| handler.answer(request, state));
    serve(priced.gate, request, version, presented, run).await
}

/// Answers a payment of what was told before the price changed, by the rules of then; gives back a request that presents none.
/// What `base` refuses it refuses with the terms of now.
pub(super) async fn earlier<S: Clone + Send + Sync + 'static>(
    base: &Arc<Gate>,
    pricing: &Pricing,
    handler: Arc<dyn ErasedHandler<S>>,
    request: Request,
    state: S,
) -> Result<Response, Request> {
    let uri = original_uri(&request).clone();
    let mut asked = match ask(base, pricing, request, uri.clone()).await {
        Ok(asked) => asked,
        Err(refusal) => return Ok(answers::refusal(base, uri.path(), &refusal)),
    };
    let pricer = Pricer {
        base,
        pricing,
        handler: &*handler,
        state: &state,
    };
    let since = base.endpoint.since();
    let priced = match pricer.promised(&asked) {
        // A ceiling is of the prices that its terms name.
        Some(priced) if base.endpoint.is_metered() => {
            let terms = priced.gate.endpoint.terms().iter();
            let own = terms.map(|terms| terms.since()).all(|named| named == since);
            own.then_some(priced)
        }
        Some(priced) => Some(priced),
        // Such terms are known by their token only.
        None if base.endpoint.is_metered() => None,
        None => pricer.price(&mut asked, None).await.ok().flatten(),
    };
    if let Some(priced) = priced {
        let endpoint = priced.gate.endpoint.clone();
        let gate = Arc::new(base.with_endpoint(endpoint));
        let priced = Priced { gate, ..priced };
        let (version, presented) = asked.presents(&priced);
        if is_payment(&presented) {
            let request = Request::from_parts(asked.parts, asked.body);
            let run = Box::new(move |request| handler.answer(request, state));
            return Ok(serve(priced.gate, request, version, presented, run).await);
        }
    }
    Err(Request::from_parts(asked.parts, asked.body))
}

#[cfg(test)]
mod tests;
