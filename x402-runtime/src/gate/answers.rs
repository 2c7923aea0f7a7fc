//! Outcomes as HTTP answers. Every answer to a paid route is private and varies by the payment headers.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, RETRY_AFTER, VARY};
use axum::http::response::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;
use x402_model::asset::checksum;
use x402_model::network::Network;
use x402_model::problem::{Problem, ProblemCode};
use x402_model::wire::{SettleResponse, headers};

use super::Gate;
use super::checks::{Refusal, Version};
use super::decision::refusal as not_settled;
use super::stream;
use crate::bind::BoundEndpoint;
use crate::extract::PaymentId;
use crate::ledger::{Record, StoredAnswer};
use crate::project::{self, PAYMENT_REQUIRED, PRIVATE, VARY_BY_PAYMENT, problem_json};
use crate::telemetry::endpoint::Answered;
use crate::telemetry::event;

const PAYMENT_RESPONSE: HeaderName = HeaderName::from_static("payment-response");
const X_PAYMENT_RESPONSE: HeaderName = HeaderName::from_static("x-payment-response");

/// Headers of a handler's answer that are the gate's, the connection's, or must never leave the server. Those that tell a
/// shared cache to keep an answer are among them: some caches believe them more than `Cache-Control`.
const NOT_THE_HANDLERS: [&str; 17] = [
    "age",
    "cache-control",
    "connection",
    "content-length",
    "edge-control",
    "expires",
    "extension-responses",
    "keep-alive",
    "payment-required",
    "payment-response",
    "pragma",
    "settlement-overrides",
    "surrogate-control",
    "transfer-encoding",
    "x-accel-expires",
    "x-payment-response",
    "x402-credit",
];

/// Whether a header of the handler's answer is passed on. `CDN-Cache-Control` (RFC 9213) has a name per cache too.
fn is_the_handlers(name: &HeaderName) -> bool {
    let name = name.as_str();
    !NOT_THE_HANDLERS.contains(&name) && !name.ends_with("-cache-control")
}

/// How a presented payment ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Paid: the stored answer and the settlement.
    Paid(Arc<Record>),
    /// An answer that leaves while it is made. How it ends is told at its end.
    Streams(Response),
    /// The handler's own answer of status 400 or more.
    Uncharged(Response),
    /// Refused before any money could move.
    Refused(Refusal),
    /// Served, but the settlement was refused with this code.
    NotSettled(Arc<Record>, String),
    /// Nobody knows yet whether it is paid.
    Pending(Box<Problem>),
}

impl Outcome {
    /// The outcome of a payment whose record is open.
    pub(super) fn pending(record: &Record) -> Self {
        let problem = Problem::new(ProblemCode::SettlementPending)
            .payment_id(PaymentId::of(&record.key).as_str());
        Self::Pending(Box::new(match &record.transaction {
            Some(hash) => problem.transaction(hash, record.key.network.to_string()),
            None => problem,
        }))
    }

    /// How it is counted. A stream is when it has ended.
    pub(super) const fn answered(&self) -> Answered {
        match self {
            Self::Paid(_) | Self::Streams(_) => Answered::Paid,
            Self::Uncharged(_) => Answered::Uncharged,
            Self::Refused(_) => Answered::Refused,
            Self::NotSettled(..) => Answered::NotSettled,
            Self::Pending(_) => Answered::Pending,
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Paid(_) => "paid",
            Self::Streams(_) => "streams",
            Self::Uncharged(_) => "uncharged",
            Self::Refused(refusal) => refusal.code.as_str(),
            Self::NotSettled(..) => ProblemCode::SettlementRefused.as_str(),
            Self::Pending(_) => ProblemCode::SettlementPending.as_str(),
        }
    }
}

/// The answer to a request that presented a payment.
pub(super) fn render(gate: &Gate, path: &str, version: Version, outcome: Outcome) -> Response {
    tell(gate, &outcome);
    match outcome {
        Outcome::Paid(record) => paid(&record, version),
        Outcome::Uncharged(response) | Outcome::Streams(response) => handlers_own(response),
        Outcome::Refused(refused) => refusal(gate, path, &refused),
        Outcome::NotSettled(record, code) => unsettled(gate, path, version, &record, &code),
        Outcome::Pending(problem) => bare_problem(&problem),
    }
}

/// Counts and logs how a payment ended.
pub(super) fn tell(gate: &Gate, outcome: &Outcome) {
    if !matches!(outcome, Outcome::Streams(_)) {
        gate.metrics.answered(outcome.answered());
    }
    tracing::info!(name: event::PAYMENT, endpoint = gate.endpoint.id(), outcome = outcome.name(), "a payment was answered");
}

/// The handler's own answer, without what only the gate may say.
pub(super) fn handlers_own(response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let mut response = Response::new(body);
    *response.status_mut() = parts.status;
    let headers = parts.headers.iter();
    copy_headers(
        &mut response,
        headers.map(|(name, value)| (name.clone(), value.clone())),
    );
    guarded(response)
}

/// The last event of a streamed answer: what became of its payment.
pub(super) fn last_event(outcome: &Outcome) -> String {
    let settlement = match outcome {
        Outcome::Paid(record) => record.settlement.as_ref().map(|told| record.told(told)),
        Outcome::NotSettled(record, code) => Some(Cow::Owned(not_settled(record, code))),
        _ => None,
    };
    let header = settlement.and_then(|settlement| headers::encode(&*settlement).ok());
    if let Some(header) = header {
        return format!("event: {}\ndata: {header}\n\n", stream::SETTLEMENT_EVENT);
    }
    let problem = match outcome {
        Outcome::Refused(refusal) => refusal.problem(),
        Outcome::Pending(problem) => (**problem).clone(),
        _ => Problem::new(ProblemCode::SettlementPending),
    };
    let problem = problem.to_json();
    format!("event: {}\ndata: {problem}\n\n", stream::PROBLEM_EVENT)
}

/// The answer after a settlement that was refused. Version 2 says so in the settlement header, without terms; version 1 has
/// no such header and says it in the body, which always has the terms.
fn unsettled(gate: &Gate, path: &str, version: Version, record: &Record, code: &str) -> Response {
    gate.metrics.refused(ProblemCode::SettlementRefused);
    let refused = Problem::new(ProblemCode::SettlementRefused)
        .with_reason(code)
        .payment_id(PaymentId::of(&record.key).as_str());
    match version {
        Version::V2 => {
            let told = Cow::Owned(not_settled(record, code));
            with_settlement(bare_problem(&refused), version, told)
        }
        Version::V1 => {
            let payer = checksum(record.key.payer);
            let body = gate.challenge.body_with(path, &refused, code, Some(&payer));
            problem(refused.code().http_status(), body)
        }
    }
}

/// The answer to a request that is not served. Only an answer of status 402 repeats the terms: it is the only one after which
/// paying (again) is right.
pub(super) fn refusal(gate: &Gate, path: &str, refusal: &Refusal) -> Response {
    let code = refusal.code;
    let challenge = &gate.challenge;
    if code == ProblemCode::PaymentRequired {
        gate.metrics.unpaid();
        tracing::debug!(name: event::UNPAID, endpoint = gate.endpoint.id(), "terms were told");
        let (headers, body) = challenge.told(path);
        return answer(code.http_status(), headers, body);
    }
    gate.metrics.refused(code);
    tracing::debug!(name: event::REFUSED, endpoint = gate.endpoint.id(), code = code.as_str(), "a request was refused");
    let refused = refusal.problem();
    if !matches!(code.http_status(), 402 | 412) {
        return bare_problem(&refused);
    }
    let payer = refusal.payer.map(checksum);
    let body = challenge.body_with(path, &refused, &refusal.error, payer.as_deref());
    let headers = challenge.headers_with(path, &refusal.error);
    answer(code.http_status(), headers, body)
}

/// The answer to a request for which nobody has to pay, and somebody has to sign in: terms without a way to pay.
pub(super) fn sign_in(endpoint: &BoundEndpoint, path: &str, challenge: &Value) -> Response {
    let refused = Problem::new(ProblemCode::PaymentRequired)
        .explanation("Sign in to see your credit. There is nothing to pay.");
    let mut unsigned = bare_problem(&refused);
    if let Some(terms) = project::sign_in(endpoint, path, challenge) {
        unsigned.headers_mut().insert(PAYMENT_REQUIRED, terms);
    }
    unsigned
}

/// A problem without terms.
pub(crate) fn bare_problem(refused: &Problem) -> Response {
    let mut response = problem(refused.code().http_status(), problem_json(refused));
    if let Some(seconds) = refused.retry_after() {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn problem(status: u16, body: Bytes) -> Response {
    answer(status, project::of_refusal(), body)
}

fn answer(status: u16, headers: HeaderMap, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = headers;
    response
}

/// The stored answer with its settlement; the same bytes each time.
fn paid(record: &Record, version: Version) -> Response {
    let (Some(answer), Some(settlement)) = (&record.answer, &record.settlement) else {
        return bare_problem(&Problem::new(ProblemCode::AnswerGone));
    };
    with_settlement(stored(answer), version, record.told(settlement))
}

/// A stored answer; the same bytes each time.
pub(super) fn stored(answer: &StoredAnswer) -> Response {
    let mut response = Response::new(Body::from(answer.body.clone()));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    copy_headers(
        &mut response,
        answer.headers.iter().filter_map(|(name, value)| {
            Some((
                HeaderName::try_from(name).ok()?,
                HeaderValue::from_bytes(value).ok()?,
            ))
        }),
    );
    guarded(response)
}

/// Adds the settlement in the header and the words of the version.
fn with_settlement(
    mut response: Response,
    version: Version,
    mut settlement: Cow<'_, SettleResponse>,
) -> Response {
    let (name, text) = match version {
        Version::V2 => (PAYMENT_RESPONSE, headers::encode(&*settlement)),
        Version::V1 => {
            if let Some(short) = short_name(&settlement.network) {
                short.clone_into(&mut settlement.to_mut().network);
            }
            (X_PAYMENT_RESPONSE, headers::encode_v1(&*settlement))
        }
    };
    let header = text.ok().and_then(|text| HeaderValue::try_from(text).ok());
    if let Some(header) = header {
        response.headers_mut().insert(name, header);
    }
    response
}

fn short_name(network: &str) -> Option<&'static str> {
    network.parse::<Network>().ok()?.short_name()
}

fn copy_headers(response: &mut Response, from: impl Iterator<Item = (HeaderName, HeaderValue)>) {
    let headers = response.headers_mut();
    for (name, value) in from.filter(|(name, _)| is_the_handlers(name)) {
        headers.append(name, value);
    }
}

/// Keeps an answer out of caches that others read. What the handler says about caching is replaced, its `Vary` is kept.
pub(super) fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, PRIVATE);
    headers.append(VARY, VARY_BY_PAYMENT);
    response
}

/// A handler's answer in the form in which the ledger keeps it.
pub(super) fn store(parts: &Parts, body: Bytes) -> StoredAnswer {
    // No more room than it takes: a ledger may keep it in memory for long.
    let mut headers = Vec::with_capacity(parts.headers.len());
    let kept = parts
        .headers
        .iter()
        .filter(|(name, _)| *name != CONTENT_LENGTH);
    headers.extend(kept.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())));
    StoredAnswer {
        status: parts.status.as_u16(),
        headers,
        body,
    }
}
