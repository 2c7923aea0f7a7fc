//! From a request's headers to a payment that fits the terms: every check that needs no IO, cheapest first.

mod extensions;
mod header;
mod terms;

use std::borrow::Cow;
use std::sync::Arc;

use alloy_primitives::Address;
use axum::http::HeaderMap;
use serde_json::{Value, json};
use x402_model::evm::{EvmKind, EvmPayload, reason};
use x402_model::extension::PaymentIdentifier;
use x402_model::problem::{Problem, ProblemCode};
use x402_model::wire::PlainPayment;

use super::Gate;
use crate::bind::Terms;
use crate::facilitator::FacilitatorRequest;
use crate::ledger::PaymentKey;
use crate::project::{self, FIRST_CONTACT, NO_MATCH};
use crate::telemetry::event;
use crate::verify::{Signer, signer};

pub(super) use header::{PAYMENT_SIGNATURE, X_PAYMENT};

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

/// Why a request is not served, with the `error` of the 402 header. Small, because every unpaid request makes one.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: ProblemCode,
    pub(super) error: Cow<'static, str>,
    /// Who tried to pay, if that could be read.
    pub(super) payer: Option<Address>,
    /// The problem, where it says more than its code.
    more: Option<Box<Problem>>,
}

impl Refusal {
    fn new(code: ProblemCode, error: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            error: error.into(),
            payer: None,
            more: None,
        }
    }

    /// The refusal of a payment by this account.
    pub(super) fn by(mut self, payer: Address) -> Self {
        self.payer = Some(payer);
        self
    }

    pub(super) fn problem(&self) -> Problem {
        self.more
            .as_deref()
            .cloned()
            .unwrap_or_else(|| Problem::new(self.code))
    }
}

impl From<ProblemCode> for Refusal {
    fn from(code: ProblemCode) -> Self {
        let error = match code {
            ProblemCode::PaymentRequired | ProblemCode::PaymentUndecodable => FIRST_CONTACT,
            ProblemCode::NoMatchingRequirements => NO_MATCH,
            other => other.reason().unwrap_or_else(|| other.as_str()),
        };
        Self::new(code, error)
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let mut refusal = Self::from(problem.code());
        if let Some(reason) = problem.reason() {
            refusal.error = Cow::Owned(reason.to_owned());
        }
        refusal.more = Some(Box::new(problem));
        refusal
    }
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

/// Why an authorization does not pay what the terms ask for, in the order of protocol 3.1 and 3.4.
fn misfit(terms: &Terms, signed: &EvmPayload) -> Option<Refusal> {
    let by =
        |code: ProblemCode, reason: &str| Refusal::from(Problem::new(code).with_reason(reason));
    let EvmPayload::Permit2(payment) = signed else {
        return if terms.kind() != EvmKind::Eip3009Exact {
            Some(ProblemCode::PayloadMalformed.into())
        } else if signed.pay_to() != terms.pay_to() {
            Some(ProblemCode::RecipientMismatch.into())
        } else if signed.amount() != terms.amount().get() {
            Some(ProblemCode::ValueMismatch.into())
        } else {
            None
        };
    };
    let authorization = &payment.authorization;
    if signed.kind() != terms.kind() {
        Some(ProblemCode::PayloadMalformed.into())
    } else if authorization.spender != authorization.witness.proxy() {
        Some(by(ProblemCode::PayloadMalformed, reason::PERMIT2_SPENDER))
    } else if signed.pay_to() != terms.pay_to() {
        Some(by(
            ProblemCode::RecipientMismatch,
            reason::PERMIT2_RECIPIENT_MISMATCH,
        ))
    } else if signed.amount() != terms.amount().get() {
        Some(by(
            ProblemCode::ValueMismatch,
            reason::PERMIT2_AMOUNT_MISMATCH,
        ))
    } else if authorization.permitted.token != terms.asset().address {
        Some(by(
            ProblemCode::PayloadMalformed,
            reason::PERMIT2_TOKEN_MISMATCH,
        ))
    } else if authorization.witness.facilitator() != terms.facilitator() {
        Some(by(
            ProblemCode::PayloadMalformed,
            reason::UPTO_FACILITATOR_MISMATCH,
        ))
    } else {
        None
    }
}

/// The refusal of a payment out of time, in the words of its kind.
fn out_of_time(code: ProblemCode, kind: EvmKind) -> Refusal {
    let said = match (kind, code) {
        (EvmKind::Eip3009Exact, _) => return code.into(),
        (_, ProblemCode::ValidAfter) => reason::PERMIT2_NOT_YET_VALID,
        _ => reason::PERMIT2_DEADLINE_EXPIRED,
    };
    Problem::new(code).with_reason(said).into()
}

/// Checks time and signature of an authorization that pays what the terms ask for.
fn fit(
    gate: &Gate,
    terms: Arc<Terms>,
    signed: EvmPayload,
    request: FacilitatorRequest,
    now_ms: u64,
) -> Result<Presented, Refusal> {
    let key = key_of(&terms, &signed);
    let payer = key.payer;
    let valid_before = match valid_before(gate, &terms, &signed, now_ms / 1000) {
        Ok(valid_before) => valid_before,
        Err(code) => {
            let refusal = out_of_time(code, terms.kind()).by(payer);
            return Ok(Presented::Late(Box::new((key, signed)), refusal));
        }
    };
    let signed_by = signer(&signed, terms.separator());
    let payment = Box::new(Payment {
        terms,
        payload: signed,
        key,
        valid_before,
        request,
        id: None,
    });
    match signed_by {
        Signer::Payer => Ok(Presented::Proven(payment)),
        Signer::SomebodyElse => Ok(Presented::Unproven(payment)),
        Signer::Wrapped if factory_allowed(gate, &payment.payload) => {
            Ok(Presented::Unproven(payment))
        }
        Signer::Wrapped => Err(Refusal::from(ProblemCode::Eip6492FactoryNotAllowed).by(payer)),
        // The token itself would refuse it, which is what a trial run would find out.
        Signer::PayerInRefusedForm => Err(Refusal::from(ProblemCode::SimulationFailed).by(payer)),
    }
}

fn key_of(terms: &Terms, signed: &EvmPayload) -> PaymentKey {
    PaymentKey {
        network: terms.network().clone(),
        asset: terms.asset().address,
        payer: signed.payer(),
        nonce: signed.nonce(),
    }
}

/// `validBefore`, if the payment is valid now, long enough to be settled, and not for longer than the terms say.
fn valid_before(
    gate: &Gate,
    terms: &Terms,
    signed: &EvmPayload,
    now: u64,
) -> Result<u64, ProblemCode> {
    let limits = &gate.core.limits;
    let valid_before =
        u64::try_from(signed.valid_until()).map_err(|_| ProblemCode::ValidityTooLong)?;
    let valid_after = u64::try_from(signed.valid_after()).map_err(|_| ProblemCode::ValidAfter)?;
    let latest = now
        .saturating_add(terms.max_timeout_seconds())
        .saturating_add(limits.clock_skew_seconds);
    if valid_before < now.saturating_add(limits.min_remaining_seconds()) {
        Err(ProblemCode::ValidBefore)
    } else if valid_after > now {
        Err(ProblemCode::ValidAfter)
    } else if valid_before > latest {
        Err(ProblemCode::ValidityTooLong)
    } else {
        Ok(valid_before)
    }
}

fn factory_allowed(gate: &Gate, signed: &EvmPayload) -> bool {
    match signed.signature().unwrap_erc6492() {
        Ok(Some(wrapper)) => gate.core.factories.contains(&wrapper.factory),
        Ok(None) | Err(_) => false,
    }
}
