//! From a request's headers to a payment that fits the terms: every check that needs no IO, cheapest first.

mod extensions;
mod fit;
mod header;
mod refusal;
mod terms;

use std::sync::Arc;

use alloy_primitives::Address;
use axum::http::HeaderMap;
use serde_json::{Value, json};
use x402_model::evm::EvmPayload;
use x402_model::extension::PaymentIdentifier;
use x402_model::problem::ProblemCode;
use x402_model::wire::PlainPayment;

use self::fit::{fit, key_of, misfit};
use super::Gate;
use crate::bind::Terms;
use crate::facilitator::FacilitatorRequest;
use crate::ledger::PaymentKey;
use crate::project;
use crate::telemetry::event;

pub(super) use header::{PAYMENT_SIGNATURE, X_PAYMENT};
pub(super) use refusal::Refusal;

/// The protocol version in which a payment is presented and its outcome is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// `X-PAYMENT`, `X-PAYMENT-RESPONSE`, terms in the body.
    V1,
    /// `PAYMENT-SIGNATURE`, `PAYMENT-RESPONSE`, terms in `PAYMENT-REQUIRED`.
    V2,
}

impl Version {
    /// 1 or 2.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }
}

/// A payment that fits the terms.
#[derive(Debug)]
pub(super) struct Payment {
    pub(super) terms: Arc<Terms>,
    pub(super) payload: EvmPayload,
    pub(super) key: PaymentKey,
    pub(super) valid_before: u64,
    pub(super) request: FacilitatorRequest,
    /// The buyer's own name for the purchase.
    pub(super) id: Option<PaymentIdentifier>,
}

/// What a request presents.
#[derive(Debug)]
pub(super) enum Presented {
    /// A payment signed by the payer's key.
    Proven(Box<Payment>),
    /// A payment that no key of the payer signed: only the chain can say whether the payer is a contract that agrees.
    Unproven(Box<Payment>),
    /// A payment that is refused now, but may have been accepted before: if there is a record of it, the record decides.
    Late(Box<(PaymentKey, EvmPayload)>, Refusal),
    /// Nothing that could be served.
    Refused(Refusal),
}

impl Presented {
    /// The same payment, refused unless there is a record of it.
    pub(super) fn late(self, refusal: Refusal) -> Self {
        match self {
            Self::Proven(payment) | Self::Unproven(payment) => {
                let Payment { key, payload, .. } = *payment;
                Self::Late(Box::new((key, payload)), refusal)
            }
            Self::Late(late, _) => Self::Late(late, refusal),
            Self::Refused(_) => Self::Refused(refusal),
        }
    }

    /// The same with the buyer's name for the purchase.
    fn named(mut self, id: Option<PaymentIdentifier>) -> Self {
        if let Self::Proven(payment) | Self::Unproven(payment) = &mut self {
            payment.id = id;
        }
        self
    }

    /// Who pays, if that could be read.
    pub(super) fn payer(&self) -> Option<Address> {
        match self {
            Self::Proven(payment) | Self::Unproven(payment) => Some(payment.key.payer),
            Self::Late(late, _) => Some(late.0.payer),
            Self::Refused(refusal) => refusal.payer,
        }
    }
}

/// Whether a request presents no payment at all.
pub(super) fn is_unpaid(headers: &HeaderMap) -> bool {
    let found = header::find(headers);
    found.is_err_and(|refusal| refusal.code == ProblemCode::PaymentRequired)
}

/// The text of the one version 2 payment that a request presents.
pub(super) fn payment_text(gate: &Gate, headers: &HeaderMap) -> Option<String> {
    match header::find(headers) {
        Ok((Version::V2, header)) => header::text(gate, Version::V2, header).ok(),
        _ => None,
    }
}

/// Runs every check that needs no IO, for a request to `path`.
pub(super) fn check(gate: &Gate, headers: &HeaderMap, path: &str) -> (Version, Presented) {
    let (version, header) = match header::find(headers) {
        Ok(found) => found,
        Err(refusal) => return (Version::V2, Presented::Refused(refusal)),
    };
    let presented = header::text(gate, version, header).and_then(|text| {
        if version == Version::V2
            && let Some(presented) = read_plain(gate, &text)
        {
            return presented;
        }
        let payload = header::tree(gate, version, &text)?;
        match version {
            Version::V1 => read_v1(gate, payload, path),
            Version::V2 => read_v2(gate, payload),
        }
    });
    (version, presented.unwrap_or_else(Presented::Refused))
}

/// A version 2 payment in the spelling that most buyers use, without a tree of it; `None` when it takes a tree to tell. What
/// is passed on are the bytes that the buyer wrote.
fn read_plain(gate: &Gate, text: &str) -> Option<Result<Presented, Refusal>> {
    let now_ms = gate.core.clock.now_ms();
    let payment = PlainPayment::read(text)?;
    let terms = terms::open(gate, now_ms).find(|terms| payment.accepts(terms.offered()))?;
    let id = match extensions::read(gate, payment.extensions()) {
        Ok(id) => id,
        Err(refusal) => return Some(Err(refusal)),
    };
    let signed = EvmPayload::Eip3009(payment.exact()?);
    if let Some(refusal) = misfit(terms, &signed) {
        return Some(Err(refusal.by(signed.payer())));
    }
    let request = FacilitatorRequest {
        x402_version: 2,
        payload: payment.raw(),
        requirements: terms.requirements().clone(),
    };
    Some(fit(gate, Arc::clone(terms), signed, request, now_ms).map(|found| found.named(id)))
}

/// A version 2 payment: the terms are the ones it repeats.
fn read_v2(gate: &Gate, payload: Value) -> Result<Presented, Refusal> {
    let now_ms = gate.core.clock.now_ms();
    let accepted = payload.get("accepted").unwrap_or(&Value::Null);
    let body = payload.get("payload").unwrap_or(&Value::Null);
    let Some(terms) = terms::accepted(gate, accepted, now_ms) else {
        return Ok(terms::unmatched(accepted, body));
    };
    let id = extensions::read(gate, extensions::of(&payload)?)?;
    let signed = parse(gate, body)?;
    if let Some(refusal) = misfit(&terms, &signed) {
        return Err(refusal.by(signed.payer()));
    }
    let request = FacilitatorRequest {
        x402_version: 2,
        requirements: terms.requirements().clone(),
        payload: payload.into(),
    };
    fit(gate, terms, signed, request, now_ms).map(|found| found.named(id))
}

/// A version 1 payment: the terms are the ones it must have been made for.
fn read_v1(gate: &Gate, payload: Value, path: &str) -> Result<Presented, Refusal> {
    let now_ms = gate.core.clock.now_ms();
    let body = payload.get("payload").unwrap_or(&Value::Null);
    extensions::demanded(gate, None)?;
    let signed = parse(gate, body)?;
    let payer = signed.payer();
    let Some(terms) = terms::implied(gate, &payload, &signed, now_ms) else {
        return Err(Refusal::from(ProblemCode::NoMatchingRequirements).by(payer));
    };
    if let Some(refusal) = misfit(&terms, &signed) {
        // It does not say for which terms it was made: it may have been served for earlier ones.
        let key = key_of(&terms, &signed);
        let refusal = refusal.by(payer);
        return Ok(Presented::Late(Box::new((key, signed)), refusal));
    }
    let request = request_v1(gate, &terms, payload, path);
    fit(gate, terms, signed, request, now_ms)
}

/// What the facilitator is asked about a version 1 payment: in version 1 if it speaks that on the network, else the same
/// authorization in version 2.
fn request_v1(gate: &Gate, terms: &Terms, payload: Value, path: &str) -> FacilitatorRequest {
    let own = gate.core.facilitator_speaks_v1(terms.network());
    let url = project::url(gate.endpoint.origin(), path);
    let entry = own.then(|| project::v1::entry(&gate.endpoint, terms, url));
    let entry = entry
        .flatten()
        .and_then(|entry| serde_json::to_value(entry).ok());
    if let Some(requirements) = entry {
        return FacilitatorRequest {
            x402_version: 1,
            payload: payload.into(),
            requirements: requirements.into(),
        };
    }
    let offered = terms.offered().value();
    let body = payload.get("payload").unwrap_or(&Value::Null);
    FacilitatorRequest {
        x402_version: 2,
        payload: json!({ "x402Version": 2, "accepted": offered, "payload": body }).into(),
        requirements: terms.requirements().clone(),
    }
}

fn parse(gate: &Gate, body: &Value) -> Result<EvmPayload, Refusal> {
    EvmPayload::parse(body).map_err(|error| {
        tracing::debug!(name: event::MALFORMED, endpoint = gate.endpoint.id(), error = error.code(), "a payment payload could not be read");
        Refusal::from(ProblemCode::PayloadMalformed)
    })
}
