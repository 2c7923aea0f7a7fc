//! Takes a payment and its request as far as the connection matters, then hands both to work that outlives it.

use std::sync::Arc;

use alloy_primitives::Address;
use axum::body::Body;
use axum::extract::{OriginalUri, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, Uri};
use axum::response::Response;
use bytes::Bytes;
use http_body::Body as _;
use tokio::time::timeout;
use tracing::field::{Empty, display};
use tracing::{Instrument, Span};
use x402_model::evm::EvmPayload;
use x402_model::network::Network;
use x402_model::problem::{Problem, ProblemCode};

use super::answers::{self, Outcome};
use super::checks::{PAYMENT_SIGNATURE, Payment, Presented, Refusal, Version, X_PAYMENT};
use super::decision::{Found, found};
use super::fingerprint::fingerprint;
use super::metering::Metering;
use super::outlive::Outliving;
use super::{Gate, body, flow, seller};
use crate::extract::{PaymentId, Proof};
use crate::facilitator::{BoxFuture, FacilitatorRequest};
use crate::ledger::{PaymentKey, Record};
use crate::telemetry::{event, span};

/// Makes the future of the handler's answer; the handler runs when it is polled.
pub(super) type Run = Box<dyn FnOnce(Request) -> BoxFuture<'static, Response> + Send>;

/// The URI of a request as the client sent it, whatever routers it was nested in.
pub(crate) fn original_uri(request: &Request) -> &Uri {
    uri_of(request.extensions(), request.uri())
}

/// The same, of a request that was taken apart.
pub(super) fn original(parts: &Parts) -> &Uri {
    uri_of(&parts.extensions, &parts.uri)
}

fn uri_of<'a>(extensions: &'a Extensions, uri: &'a Uri) -> &'a Uri {
    extensions
        .get::<OriginalUri>()
        .map_or(uri, |OriginalUri(original)| original)
}

/// Answers a request that presents a payment.
pub(super) async fn serve(
    gate: Arc<Gate>,
    request: Request,
    version: Version,
    presented: Presented,
    run: Run,
) -> Response {
    let payer = presented.payer();
    // No copy of the URI, which would keep the bytes of the request's head in memory until the payment has ended.
    let path = original_uri(&request).path().to_owned();
    let span = present_span(&gate, version, &presented);
    let outcome = present(&gate, request, presented, run)
        .instrument(span)
        .await;
    let mut outcome = outcome.unwrap_or_else(Outcome::Refused);
    if let Outcome::Refused(refusal) = &mut outcome {
        refusal.payer = refusal.payer.or(payer);
    }
    crate::failpoint("c8_before_response");
    answers::render(&gate, &path, version, outcome)
}

/// Names the payment by what becomes public with it. The payer's address is left out: logs need it for nothing, and it would tie
/// the requests of one person together (G18).
fn present_span(gate: &Gate, version: Version, presented: &Presented) -> Span {
    let span = tracing::info_span!(
        span::PRESENT,
        endpoint = gate.endpoint.id(),
        version = version.number(),
        payment = Empty,
        network = Empty,
        asset = Empty,
        nonce = Empty
    );
    let key = match presented {
        Presented::Proven(payment) | Presented::Unproven(payment) => &payment.key,
        Presented::Late(late, _) => &late.0,
        Presented::Refused(_) => return span,
    };
    if !span.is_disabled() {
        span.record("payment", display(PaymentId::of(key)));
        span.record("network", display(&key.network));
        span.record("asset", display(key.asset));
        span.record("nonce", display(key.nonce));
    }
    span
}

async fn present(
    gate: &Arc<Gate>,
    request: Request,
    presented: Presented,
    run: Run,
) -> Result<Outcome, Refusal> {
    // Held from before the body is read until the task ends: it bounds memory, and shutdown waits for it.
    let permit = gate.core.admit()?;
    let payment = match presented {
        Presented::Refused(refusal) => return Err(refusal),
        Presented::Late(late, refusal) => {
            let (key, signed) = *late;
            // Boxed, as all that is rare: a future is as large as the largest thing it may wait for.
            return Box::pin(remembered(gate, request, &key, &signed, refusal)).await;
        }
        Presented::Proven(payment) => payment,
        Presented::Unproven(payment) => {
            let proven = Box::pin(prove(gate, &payment)).await;
            proven.inspect_err(|refusal| seller::unproven(gate, &payment, refusal))?;
            payment
        }
    };
    let (mut parts, body) = request.into_parts();
    let body = if body.is_end_stream() {
        Bytes::new()
    } else {
        Box::pin(body::read(&gate.core, body)).await?
    };
    let metering = if gate.endpoint.is_metered() {
        Some(Box::pin(Metering::begin(gate, &payment.terms, &mut parts, &body)).await?)
    } else {
        None
    };
    let uri = uri_of(&parts.extensions, &parts.uri);
    let fingerprint = fingerprint(
        &gate.endpoint,
        uri.path(),
        uri.query().unwrap_or_default(),
        &body,
    );
    let job = flow::Job {
        gate: Arc::clone(gate),
        call: seller::call(gate, &parts.method, uri.path(), &payment),
        answer: run(for_handler(parts, body, &payment)),
        payment,
        fingerprint,
        metering,
        place: permit,
    };
    hand_over(job).await
}

/// The request as the handler sees it: with the verified payment in place of its proof.
fn for_handler(mut parts: Parts, body: Bytes, payment: &Payment) -> Request {
    // What proves the payment is the gate's business; handlers and their logs need not see it.
    parts.headers.remove(PAYMENT_SIGNATURE);
    parts.headers.remove(X_PAYMENT);
    parts.extensions.insert(Proof {
        key: payment.key.clone(),
        terms: Arc::clone(&payment.terms),
    });
    Request::from_parts(parts, Body::from(body))
}

/// Runs a payment so that nothing the connection does can stop it, and waits for it as long as a buyer is kept waiting.
async fn hand_over(job: flow::Job) -> Result<Outcome, Refusal> {
    let core = Arc::clone(&job.gate.core);
    let call = job.call.clone().map(|call| (Arc::clone(&job.gate), call));
    let task = async move {
        let outcome = job.run().await;
        if let Some((gate, call)) = &call {
            seller::ended(gate, call, &outcome);
        }
        outcome
    };
    let task = Outliving::new(task, core.tasks.clone());
    let limits = &core.limits;
    let patience = limits
        .verify_timeout
        .saturating_add(limits.handler_timeout)
        .saturating_add(core.hook_time())
        .saturating_add(limits.settle_wait);
    match timeout(patience, task).await {
        Ok(Ok(outcome)) => Ok(outcome),
        // It goes on, or panicked; the buyer learns the end by presenting the same payment again.
        Ok(Err(_)) | Err(_) => Err(ProblemCode::SettlementPending.into()),
    }
}

/// Answers a payment that would be refused now from the record that an earlier presentation left, if there is one.
async fn remembered(
    gate: &Gate,
    request: Request,
    key: &PaymentKey,
    signed: &EvmPayload,
    refusal: Refusal,
) -> Result<Outcome, Refusal> {
    let record = match gate.core.ledger.get(key).await {
        Ok(Some(record)) if is_same_payment(&record.request, signed) => record,
        Ok(_) => return Err(refusal),
        Err(error) => return Err(flow::ledger_down(&gate.core, &error)),
    };
    let (parts, body) = request.into_parts();
    let body = body::read(&gate.core, body).await?;
    let uri = uri_of(&parts.extensions, &parts.uri);
    let fingerprint = fingerprint(
        &gate.endpoint,
        uri.path(),
        uri.query().unwrap_or_default(),
        &body,
    );
    match found(&record, &fingerprint, gate.core.clock.now_ms()) {
        Found::Show => {
            flow::booked(&gate.core, &record).await?;
            Ok(Outcome::Paid(Arc::new(record)))
        }
        Found::Pending => Ok(Outcome::pending(&record)),
        Found::Refuse(code) => Err(code.into()),
        // Nothing was charged, and what is needed to charge it is refused.
        Found::Settle | Found::Reclaim => Err(refusal),
    }
}

/// Whether a recorded payment is this one, signature and all. Whoever holds it presented it before, or saw it.
pub(super) fn is_same_payment(recorded: &FacilitatorRequest, signed: &EvmPayload) -> bool {
    let recorded = recorded.payload.to_value();
    recorded
        .get("payload")
        .and_then(|payload| EvmPayload::parse(payload).ok())
        .is_some_and(|known| known == *signed)
}

/// Lets the chain say whether a payer that is a contract agrees to the payment (ERC-1271, ERC-6492).
async fn prove(gate: &Gate, payment: &Payment) -> Result<(), Refusal> {
    let known: Option<Record> = gate
        .core
        .ledger
        .get(&payment.key)
        .await
        .map_err(|error| flow::ledger_down(&gate.core, &error))?;
    if known.is_some_and(|record| is_same_payment(&record.request, &payment.payload)) {
        // It was proven when it was recorded; by now its nonce may be used.
        return Ok(());
    }
    let wrapped = payment.payload.signature().is_erc6492();
    if !wrapped && !is_contract(gate, payment.terms.network(), payment.key.payer).await? {
        return Err(ProblemCode::InvalidSignature.into());
    }
    flow::verify(&gate.core, &payment.request)
        .await
        .map_err(Refusal::from)
}

async fn is_contract(gate: &Gate, network: &Network, payer: Address) -> Result<bool, Refusal> {
    let asked = gate.core.facilitator.payer_is_contract(network, payer);
    match timeout(gate.core.limits.verify_timeout, asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => {
            tracing::warn!(name: event::FACILITATOR_FAILED, endpoint = gate.endpoint.id(), %error, "the facilitator failed");
            Err(Problem::new(ProblemCode::FacilitatorUnavailable).into())
        }
        Err(_) => Err(Problem::new(ProblemCode::FacilitatorUnavailable).into()),
    }
}
