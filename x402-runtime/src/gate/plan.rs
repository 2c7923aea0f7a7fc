//! Calls that are paid from credit: by whoever signed in, as long as there is enough, each once.
//!
//! ```text
//! signed message ─▶ seen before? ─▶ its record answers, and nothing is taken again
//!                      │ new
//!                      ▼
//!   reserve ─▶ hold the price ─▶ handler ─▶ answer stored ─▶ capture ─▶ answer
//!                │ too little        │ failed
//!                ▼                   ▼
//!            402 that says so     released
//! ```
//!
//! A message pays for one request, as a payment does: it names a record in the ledger, bound to the request that it first came
//! with. The record moves as that of any payment; what settles it is the ledger's accounts (see [`crate::credit`]).

mod ask;
mod call;

use std::sync::{Arc, OnceLock};

use alloy_primitives::Address;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use axum::response::Response;
use bytes::Bytes;
use http_body::Body as _;
use std::net::SocketAddr;
use tokio::time::timeout;
use x402_model::money::{AtomicAmount, Decimal};
use x402_model::problem::{Problem, ProblemCode};

use self::call::{Call, Facts, Spent};
use super::caller::{self, SIGN_IN_WITH_X};
use super::checks::{Refusal, is_unpaid};
use super::core::Place;
use super::entry::{ErasedHandler, GateHandler};
use super::fingerprint::fingerprint;
use super::metering::Metering;
use super::outlive::Outliving;
use super::present::{Run, original, original_uri};
use super::{Core, Gate, answers, body, free};
use crate::allowance::Allowances;
use crate::credit::{CREDIT_DECIMALS, Purse, Whose, rail};
use crate::project;
use crate::siwx::{self, Recognised, SignedIn};
use crate::telemetry::event;

/// What an endpoint needs whose calls may be paid from credit.
#[derive(Debug)]
pub(crate) struct Credit {
    pub(crate) allowances: Arc<Allowances>,
    /// Those that its plans fill, in their order.
    pub(crate) purses: Vec<Purse>,
}

/// Whoever signed in, on the way to the price of his request.
#[derive(Clone)]
struct Holder(Arc<Caller>);

struct Caller {
    credit: Arc<Credit>,
    whose: Whose,
    payer: Address,
    known: Recognised,
    /// Whether the message was used up for this request already, if that was tried.
    claimed: Option<bool>,
    short: OnceLock<Short>,
}

/// Too little credit.
#[derive(Debug, Clone)]
struct Short {
    price: AtomicAmount,
    balance: AtomicAmount,
    unit: String,
}

impl Credit {
    /// Who sent a request.
    async fn recognise(&self, gate: &Gate, headers: &HeaderMap, path: &str) -> Option<Recognised> {
        let siwx = self.allowances.sign_in()?;
        let header = siwx::only(headers).ok()??;
        match siwx.recognise(header, path).await {
            Ok(recognised) => Some(recognised),
            Err(refusal) => {
                tracing::debug!(name: event::REFUSED, endpoint = gate.endpoint.id(), code = refusal.code(), "a sign-in does not count");
                None
            }
        }
    }

    /// Uses a message up for this request.
    async fn claim(&self, gate: &Gate, known: &Recognised) -> bool {
        let Some(siwx) = self.allowances.sign_in() else {
            return false;
        };
        siwx.claim(known).await.unwrap_or_else(|error| {
            gate.core.ledger_failed(&error);
            false
        })
    }
}

/// Answers a request to an endpoint whose calls may be paid from credit: free if it is, else from credit, else for a payment.
pub(super) async fn answer<S: Clone + Send + Sync + 'static>(
    paid: GateHandler<S>,
    credit: Arc<Credit>,
    mut request: Request,
    state: S,
) -> Response {
    let gate = Arc::clone(&paid.gate);
    // Queries may be secrets of the caller's, and no wallet has to show them (G18).
    let path = project::url("", original_uri(&request).path());
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let client = from.map(|ConnectInfo(address)| address.ip());
    let mut holder = None;
    if is_unpaid(request.headers()) {
        let (parts, unread) = request.into_parts();
        let known = credit.recognise(&gate, &parts.headers, &path).await;
        request = Request::from_parts(parts, unread);
        let mut claimed = None;
        if let Some(free) = &gate.free {
            // A free call leaves no record, so its message must be used up before.
            claimed = match &known {
                Some(known) if free.asks_who() => Some(credit.claim(&gate, known).await),
                _ => None,
            };
            let caller = known.as_ref().filter(|_| claimed == Some(true));
            let caller = caller.map(|known| &known.account);
            if let Some(call) = free.take_as(&gate, caller, client).await {
                return free::serve(paid, Arc::clone(free), call, request, state).await;
            }
        }
        holder = known.and_then(|known| Holder::of(&credit, known, claimed));
    }
    let Some(holder) = holder else {
        return ask::terms(&credit, paid.pay(request, state).await, &path, None).await;
    };
    // Who signed in is the gate's business, and the message lets its holder in.
    request.headers_mut().remove(SIGN_IN_WITH_X);
    // The price may depend on who calls, and only he may pay what it is for him.
    caller::note(request.extensions_mut(), SignedIn::Evm(holder.0.payer));
    request.extensions_mut().insert(holder.clone());
    if gate.pricing.is_none() {
        request = match spend(&gate, request, run_of(&paid.handler, &state)).await {
            Ok(response) => return response,
            Err(request) => request,
        };
    }
    let response = paid.pay(request, state).await;
    ask::terms(&credit, response, &path, holder.0.short.get()).await
}

impl Holder {
    /// `None` for accounts that can have no credit here: it is bought with EVM accounts.
    fn of(credit: &Arc<Credit>, known: Recognised, claimed: Option<bool>) -> Option<Self> {
        let SignedIn::Evm(payer) = known.account else {
            return None;
        };
        Some(Self(Arc::new(Caller {
            credit: Arc::clone(credit),
            whose: Whose::on(payer, known.contract_on.clone()),
            payer,
            known,
            claimed,
            short: OnceLock::new(),
        })))
    }
}

/// Whether somebody signed in for a request.
pub(super) fn is_holder(extensions: &Extensions) -> bool {
    extensions.get::<Holder>().is_some()
}

/// Runs the handler of an endpoint.
pub(super) fn run_of<S: Clone + Send + Sync + 'static>(
    handler: &Arc<dyn ErasedHandler<S>>,
    state: &S,
) -> Run {
    let (handler, state) = (Arc::clone(handler), state.clone());
    Box::new(move |request| handler.answer(request, state))
}

/// What a call at this gate takes at most: its price, or the ceiling of a metered one.
fn most(gate: &Gate) -> Option<AtomicAmount> {
    // No price that can be charged has more decimals than credit.
    if !gate.endpoint.is_metered() {
        return gate.endpoint.price().amount.to_atomic(CREDIT_DECIMALS).ok();
    }
    let terms = gate.endpoint.terms().first()?;
    counted(terms.amount(), terms.asset().decimals)
}

/// An amount of a token as credit is counted.
fn counted(amount: AtomicAmount, decimals: u8) -> Option<AtomicAmount> {
    let amount: Decimal = amount.to_decimal(decimals).parse().ok()?;
    amount.to_atomic(CREDIT_DECIMALS).ok()
}

/// The meter of a call with a metered price, and the decimals in which it counts.
async fn metered(
    gate: &Gate,
    parts: &mut Parts,
    body: &Bytes,
) -> Result<Option<(Metering, u8)>, Refusal> {
    match gate.endpoint.terms().first() {
        Some(terms) if gate.endpoint.is_metered() => {
            let metering = Metering::begin(gate, terms, parts, body).await?;
            Ok(Some((metering, terms.asset().decimals)))
        }
        _ => Ok(None),
    }
}

/// Runs a call so that nothing the connection does can stop it, and waits for it as long as a buyer is kept waiting.
async fn hand_over(core: &Arc<Core>, call: Call, place: Place) -> Result<Response, Request> {
    let task = Outliving::new(
        async move {
            let spent = call.go().await;
            drop(place);
            spent
        },
        core.tasks.clone(),
    );
    let limits = &core.limits;
    let patience = limits.handler_timeout.saturating_add(limits.settle_wait);
    match timeout(patience, task).await {
        Ok(Ok(Spent::Answered(response))) => Ok(response),
        Ok(Ok(Spent::Not(request))) => Err(*request),
        // It goes on, or panicked; the holder learns the end by sending the same message again.
        Ok(Err(_)) | Err(_) => Ok(call::problem(ProblemCode::SettlementPending)),
    }
}

/// Pays for a request from the credit of whoever signed in, at the price of this gate. The request comes back if that is not
/// possible, and nothing was taken then.
pub(super) async fn spend(
    gate: &Arc<Gate>,
    mut request: Request,
    run: Run,
) -> Result<Response, Request> {
    let Some(Holder(caller)) = request.extensions_mut().remove::<Holder>() else {
        return Err(request);
    };
    let Some(price) = most(gate) else {
        return Err(request);
    };
    let place = match gate.core.admit() {
        Ok(place) => place,
        Err(code) => return Ok(answers::bare_problem(&Problem::new(code))),
    };
    let (mut parts, unread) = request.into_parts();
    let read = if unread.is_end_stream() {
        Bytes::new()
    } else {
        match body::read(&gate.core, unread).await {
            Ok(read) => read,
            Err(problem) => return Ok(answers::bare_problem(&problem)),
        }
    };
    let metering = match metered(gate, &mut parts, &read).await {
        Ok(metering) => metering,
        Err(refusal) => {
            let path = original(&parts).path().to_owned();
            return Ok(answers::refusal(gate, &path, &refusal));
        }
    };
    let request = Request::from_parts(parts, Body::from(read.clone()));
    let uri = original_uri(&request);
    let query = uri.query().unwrap_or_default();
    let facts = Facts {
        fingerprint: fingerprint(&gate.endpoint, uri.path(), query, &read),
        key: rail::key(caller.payer, caller.known.message),
        gate: Arc::clone(gate),
        caller,
        price,
    };
    let call = Call {
        facts,
        metering,
        request,
        run,
    };
    hand_over(&gate.core, call, place).await
}
