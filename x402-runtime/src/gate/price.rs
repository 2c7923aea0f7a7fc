//! The price of one request, where it is not the same for every call: what the terms of its 402 ask for, and what a payment of
//! it must pay.
//!
//! ```text
//! request ─▶ body, if the price looks at it ─▶ evaluate ─▶ quote function, if it is dynamic ─▶ a gate with terms at that price
//!                                                │                                               (kept, by price)
//!                                                ▼ nothing due: the handler, unpaid
//! ```
//!
//! A price that was told is kept to for as long as it said: the terms carry a token that binds them to the request (see
//! [`quote`]), so that a payment of them is recognised whatever the price is by then.

pub(crate) mod quote;

use std::collections::{BTreeSet, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{FromRequestParts as _, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http_body::Body as _;
use tokio::time::timeout;
use x402_model::price::{
    Due, Facts, Needs, Price, PriceError, PriceModel, Selector, Source, evaluate,
};
use x402_model::problem::{Problem, ProblemCode};

use self::quote::Quotes;
use super::checks::{Presented, Refusal, check, is_unpaid};
use super::entry::ErasedHandler;
use super::fingerprint::fingerprint;
use super::present::{original_uri, serve};
use super::{Gate, answers, body};
use crate::handler::{QuoteError, QuoteRequest};
use crate::ledger::Fingerprint;
use crate::project::Challenge;
use crate::telemetry::event;

/// How many prices keep a gate. A price table has fewer; a quote function may have any number.
const MAX_GATES: usize = 1_024;

/// What the gate of an endpoint needs whose price depends on the request.
#[derive(Debug)]
pub(crate) struct Pricing {
    needs: Needs,
    quotes: Arc<Quotes>,
    gates: Mutex<HashMap<Price, Arc<Gate>>>,
}

impl Pricing {
    pub(crate) fn new(needs: Needs, quotes: Arc<Quotes>) -> Self {
        Self {
            needs,
            quotes,
            gates: Mutex::default(),
        }
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
        let gate = Arc::new(base.with_challenge(Challenge::new(&endpoint), endpoint));
        let mut gates = gates();
        if gates.len() >= MAX_GATES {
            gates.clear();
        }
        gates.insert(price, Arc::clone(&gate));
        Ok(gate)
    }
}

/// Why a request has no price.
#[derive(Debug)]
struct PriceProblem {
    problem: Box<Problem>,
    /// Whether what decides is merely not there.
    missing: bool,
}

impl PriceProblem {
    fn seller() -> Self {
        Self {
            problem: Box::new(Problem::new(ProblemCode::PriceUnavailable)),
            missing: false,
        }
    }

    fn request(explanation: &str, missing: bool) -> Self {
        let problem = Problem::new(ProblemCode::PriceUndetermined).explanation(explanation);
        Self {
            problem: Box::new(problem),
            missing,
        }
    }

    fn of(gate: &Gate, error: &PriceError) -> Self {
        use PriceError::{
            Missing, NoBand, NoCase, NotExact, NotJson, Repeated, TooDeep, WrongType,
        };
        match error {
            Missing { .. } | NotJson { .. } => Self::request(&error.to_string(), true),
            WrongType { .. }
            | Repeated { .. }
            | NotExact { .. }
            | NoCase { .. }
            | NoBand { .. }
            | TooDeep { .. } => Self::request(&error.to_string(), false),
            _ => {
                tracing::error!(name: event::QUOTE_FAILED, endpoint = gate.endpoint.id(), %error, "a price could not be told");
                Self::seller()
            }
        }
    }
}

/// A request whose price is wanted, with its body if the price looks at it.
struct Asked {
    parts: Parts,
    body: Body,
    read: Bytes,
    uri: Uri,
    fingerprint: Fingerprint,
    /// The headers that the price looks at, by name.
    looked_at: BTreeSet<String>,
}

/// Answers a request whose price is not known beforehand.
pub(super) async fn answer<S: Clone + Send + Sync + 'static>(
    base: Arc<Gate>,
    pricing: Arc<Pricing>,
    handler: Arc<dyn ErasedHandler<S>>,
    request: Request,
    state: S,
) -> Response {
    let unpaid = is_unpaid(request.headers());
    let uri = original_uri(&request).clone();
    let mut asked = match ask(&base, &pricing, request, uri.clone()).await {
        Ok(asked) => asked,
        Err(refusal) => return answers::refusal(&base, uri.path(), &refusal),
    };
    let priced = match promised(&base, &pricing, &asked) {
        Some(gate) => Ok(Some(gate)),
        None => price(&base, &pricing, &*handler, &mut asked, &state).await,
    };
    let gate = match priced {
        Ok(Some(gate)) => gate,
        // Nothing is due. A payment that came along stays unused.
        Ok(None) => {
            let request = Request::from_parts(asked.parts, asked.body);
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
    let (version, presented) = check(&gate, &asked.parts.headers, uri.path());
    if let Presented::Refused(refusal) = &presented {
        let request = quote::Request {
            fingerprint: &asked.fingerprint,
            headers: &asked.parts.headers,
        };
        let told = pricing.quotes.told(&gate, &request, &asked.looked_at);
        return answers::refusal(&told, uri.path(), refusal);
    }
    crate::failpoint("c0_header_parsed");
    let request = Request::from_parts(asked.parts, asked.body);
    let run = Box::new(move |request| handler.answer(request, state));
    serve(gate, request, version, presented, run).await
}

/// Reads what the price looks at.
async fn ask(gate: &Gate, pricing: &Pricing, request: Request, uri: Uri) -> Result<Asked, Refusal> {
    let (parts, body) = request.into_parts();
    let (body, read) = if pricing.needs.body && !body.is_end_stream() {
        // It bounds how many bodies are in memory, as it does for paid requests.
        let _place = gate.core.admit()?;
        let read = body::read(&gate.core, body).await?;
        (Body::from(read.clone()), read)
    } else {
        (body, Bytes::new())
    };
    let query = uri.query().unwrap_or_default();
    let fingerprint = fingerprint(&gate.endpoint, uri.path(), query, &read);
    Ok(Asked {
        parts,
        body,
        read,
        uri,
        fingerprint,
        looked_at: headers_of(&gate.endpoint.spec().price),
    })
}

/// The gate with the terms that a payment repeats, if they were told for this request and still hold.
fn promised(base: &Gate, pricing: &Pricing, asked: &Asked) -> Option<Arc<Gate>> {
    let now_ms = base.core.clock.now_ms();
    let request = quote::Request {
        fingerprint: &asked.fingerprint,
        headers: &asked.parts.headers,
    };
    let terms = pricing.quotes.recognise(base, &request, now_ms)?;
    if base.endpoint.is_metered() {
        return Some(Arc::new(
            base.with_endpoint(base.endpoint.with_terms([terms])),
        ));
    }
    let price = Price {
        amount: terms
            .amount()
            .to_decimal(terms.asset().decimals)
            .parse()
            .ok()?,
        unit: base.endpoint.price().unit.clone(),
    };
    let at = pricing.gate(base, price).ok()?;
    // The facilitator is to see the very terms that the payment repeats.
    let endpoint = at.endpoint.with_terms([terms]);
    Some(Arc::new(at.with_endpoint(endpoint)))
}

/// The gate that asks for the price of a request; `None` if nothing is due.
async fn price<S>(
    base: &Gate,
    pricing: &Pricing,
    handler: &dyn ErasedHandler<S>,
    asked: &mut Asked,
    state: &S,
) -> Result<Option<Arc<Gate>>, PriceProblem> {
    let captures = captures(&mut asked.parts).await;
    let model = &base.endpoint.spec().price;
    let due = {
        let facts = facts(&asked.parts.headers, &asked.uri, &captures, &asked.read);
        evaluate(model, &facts, &[]).map_err(|error| PriceProblem::of(base, &error))?
    };
    let price = match due {
        Due::Exact(price) => price,
        Due::Quoted(_) => {
            let mut request = QuoteRequest::new(&asked.parts, asked.read.clone());
            for (name, value) in captures {
                request = request.with_capture(name, value);
            }
            let looked_at = request.looked_at();
            let quoted = ask_seller(base, handler, state, request).await?;
            asked.looked_at = looked_at
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            model
                .quoted(quoted)
                .map_err(|error| PriceProblem::of(base, &error))?
        }
        Due::UpTo(ceiling) => {
            let endpoint = base.endpoint.up_to(&ceiling);
            let endpoint = endpoint.map_err(|error| PriceProblem::of(base, &error))?;
            let challenge = Challenge::new(&endpoint);
            return Ok(Some(Arc::new(base.with_challenge(challenge, endpoint))));
        }
        _ => return Err(PriceProblem::seller()),
    };
    if price.amount.is_zero() {
        return Ok(None);
    }
    pricing.gate(base, price).map(Some)
}

/// The headers that a price table looks at.
fn headers_of(model: &PriceModel) -> BTreeSet<String> {
    let selectors: Vec<&Selector> = match model {
        PriceModel::Tiered { dimensions, .. } => {
            dimensions.iter().map(|dimension| &dimension.by).collect()
        }
        PriceModel::Usage { units, .. } => units
            .iter()
            .filter_map(|unit| unit.estimate.as_ref())
            .collect(),
        _ => Vec::new(),
    };
    selectors
        .into_iter()
        .filter(|selector| selector.source == Source::Header)
        .map(|selector| selector.pointer.to_ascii_lowercase())
        .collect()
}

/// Calls the quote function, within its time.
async fn ask_seller<S>(
    gate: &Gate,
    handler: &dyn ErasedHandler<S>,
    state: &S,
    request: QuoteRequest,
) -> Result<Price, PriceProblem> {
    let failed = |error: &str| {
        tracing::warn!(name: event::QUOTE_FAILED, endpoint = gate.endpoint.id(), error, "a quote function gave no price");
        PriceProblem::seller()
    };
    // It works for people who have not paid: no more of them at once than may pay at once.
    let _place = gate.core.admit().map_err(|code| PriceProblem {
        problem: Box::new(Problem::new(code)),
        missing: false,
    })?;
    // Made inside, because the call itself may panic too.
    let quote = async { handler.quote(state, request).await };
    let time = gate.core.limits.verify_timeout;
    match timeout(time, AssertUnwindSafe(quote).catch_unwind()).await {
        Ok(Ok(Ok(price))) => Ok(price),
        Ok(Ok(Err(QuoteError::Request(reason)))) => Err(PriceProblem::request(&reason, true)),
        Ok(Ok(Err(error))) => Err(failed(&error.to_string())),
        Ok(Err(_panic)) => Err(failed("it panicked")),
        Err(_) => Err(failed("no answer in time")),
    }
}

/// The refusal of a request whose price, or whose part of it, cannot be told.
pub(super) fn refusal(gate: &Gate, error: &PriceError) -> Refusal {
    Refusal::from(*PriceProblem::of(gate, error).problem)
}

/// What the route captured, decoded.
pub(super) async fn captures(parts: &mut Parts) -> Vec<(String, String)> {
    match RawPathParams::from_request_parts(parts, &()).await {
        Ok(captured) => captured
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        // A route without captures, or one that is no UTF-8, which no price can depend on.
        Err(_) => Vec::new(),
    }
}

pub(super) fn facts<'a>(
    headers: &'a HeaderMap,
    uri: &'a Uri,
    captures: &'a [(String, String)],
    body: &'a Bytes,
) -> Facts<'a> {
    let mut facts = Facts::new()
        .query(uri.query().unwrap_or_default())
        .body(body.as_ref());
    for (name, value) in captures {
        facts = facts.capture(name.as_str(), value.as_str());
    }
    for (name, value) in headers {
        facts = facts.header(name.as_str(), value.as_bytes());
    }
    facts
}
