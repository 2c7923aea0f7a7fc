//! From a request's headers to a payment that fits the terms: every check that needs no IO, cheapest first.

use std::borrow::Cow;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use x402_model::asset::parse_address;
use x402_model::evm::ExactEvmPayload;
use x402_model::network::Network;
use x402_model::problem::{Problem, ProblemCode};
use x402_model::wire::{CodecError, check_echo, find_match, headers};

use super::Gate;
use crate::bind::Terms;
use crate::facilitator::FacilitatorRequest;
use crate::ledger::PaymentKey;
use crate::project::FIRST_CONTACT;
use crate::verify::{Signer, signer};

pub(super) const PAYMENT_SIGNATURE: HeaderName = HeaderName::from_static("payment-signature");
pub(super) const X_PAYMENT: HeaderName = HeaderName::from_static("x-payment");

/// A payment that fits the terms.
#[derive(Debug)]
pub(super) struct Payment {
    pub(super) terms: Arc<Terms>,
    pub(super) exact: ExactEvmPayload,
    pub(super) key: PaymentKey,
    pub(super) valid_before: u64,
    pub(super) request: FacilitatorRequest,
}

/// Why a request is not served, with the `error` of the 402 header. Small, because every unpaid request makes one.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: ProblemCode,
    pub(super) error: Cow<'static, str>,
    /// The problem, where it says more than its code.
    more: Option<Box<Problem>>,
}

impl Refusal {
    fn new(code: ProblemCode, error: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            error: error.into(),
            more: None,
        }
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
            ProblemCode::NoMatchingRequirements => "No matching payment requirements",
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
    Late(Box<(PaymentKey, ExactEvmPayload)>, Refusal),
    /// Nothing that could be served.
    Refused(Refusal),
}

/// The one payment header of a request, if it has any.
fn payment_header(headers: &HeaderMap) -> Result<&HeaderValue, Refusal> {
    let mut values = headers.get_all(PAYMENT_SIGNATURE).iter();
    let (first, second) = (values.next(), values.next());
    let version_1 = headers.contains_key(X_PAYMENT);
    match (first, second) {
        (None, _) if version_1 => Err(Refusal::new(ProblemCode::UnsupportedVersion, FIRST_CONTACT)),
        (None, _) => Err(ProblemCode::PaymentRequired.into()),
        // A comma is no base64: somebody on the way has folded two headers into one.
        (Some(value), None) if !version_1 && !value.as_bytes().contains(&b',') => Ok(value),
        _ => Err(ProblemCode::DuplicatePaymentHeader.into()),
    }
}

/// Runs every check that needs no IO.
pub(super) fn check(gate: &Gate, headers: &HeaderMap) -> Presented {
    payment_header(headers)
        .and_then(|header| decode(gate, header))
        .map_or_else(Presented::Refused, |payload| {
            fit(gate, payload).unwrap_or_else(Presented::Refused)
        })
}

/// Decodes the header and checks its version.
fn decode(gate: &Gate, header: &HeaderValue) -> Result<Value, Refusal> {
    let cap = gate.core.limits.header_cap;
    let payload = headers::decode_value(header.as_bytes(), cap).map_err(|error| match error {
        CodecError::TooLarge { cap, .. } => {
            let limit = u64::try_from(cap).unwrap_or(u64::MAX);
            Problem::new(ProblemCode::PaymentTooLarge).limit(limit).into()
        }
        other => {
            tracing::debug!(name: "x402.undecodable", endpoint = gate.endpoint.id(), error = other.code(), "a payment header could not be read");
            Refusal::from(ProblemCode::PaymentUndecodable)
        }
    })?;
    if !payload.is_object() {
        return Err(ProblemCode::PaymentUndecodable.into());
    }
    match payload.get("x402Version").and_then(whole_number) {
        Some(2) => Ok(payload),
        // A version 1 payment in the header of version 2 has no `accepted` that could match.
        Some(1) => Err(ProblemCode::NoMatchingRequirements.into()),
        other => {
            let found = other.map_or_else(|| "undefined".to_owned(), |version| version.to_string());
            Err(Refusal::new(
                ProblemCode::UnsupportedVersion,
                format!("Unsupported x402 version: {found}"),
            ))
        }
    }
}

/// A JSON number without a fraction: 2 and 2.0 are one number.
fn whole_number(value: &Value) -> Option<u64> {
    let text = value.as_number()?.to_string();
    text.strip_suffix(".0").unwrap_or(&text).parse().ok()
}

/// Compares the payment with the terms, field by field.
fn fit(gate: &Gate, payload: Value) -> Result<Presented, Refusal> {
    let now_ms = gate.core.clock.now_ms();
    let accepted = payload.get("accepted").unwrap_or(&Value::Null);
    let body = payload.get("payload").unwrap_or(&Value::Null);
    let Some(terms) = matching(gate, accepted, now_ms) else {
        return Ok(unmatched(accepted, body));
    };
    echoed(&payload)?;
    let exact = ExactEvmPayload::parse(body).map_err(|error| {
        tracing::debug!(name: "x402.malformed", endpoint = gate.endpoint.id(), error = error.code(), "a payment payload could not be read");
        Refusal::from(ProblemCode::PayloadMalformed)
    })?;
    let authorization = &exact.authorization;
    if authorization.to != terms.pay_to() {
        return Err(ProblemCode::RecipientMismatch.into());
    }
    if authorization.value != terms.amount().get() {
        return Err(ProblemCode::ValueMismatch.into());
    }
    let key = key_of(&terms, &exact);
    let valid_before = match valid_before(gate, &terms, &exact, now_ms / 1000) {
        Ok(valid_before) => valid_before,
        Err(code) => return Ok(Presented::Late(Box::new((key, exact)), code.into())),
    };
    let signed_by = signer(&exact, terms.separator());
    let request = FacilitatorRequest {
        x402_version: 2,
        requirements: terms.offered().value().clone(),
        payload,
    };
    let payment = Box::new(Payment {
        terms,
        exact,
        key,
        valid_before,
        request,
    });
    match signed_by {
        Signer::Payer => Ok(Presented::Proven(payment)),
        Signer::SomebodyElse => Ok(Presented::Unproven(payment)),
        Signer::Wrapped if factory_allowed(gate, &payment.exact) => {
            Ok(Presented::Unproven(payment))
        }
        Signer::Wrapped => Err(ProblemCode::Eip6492FactoryNotAllowed.into()),
        // The token itself would refuse it, which is what a trial run would find out.
        Signer::PayerInRefusedForm => Err(ProblemCode::SimulationFailed.into()),
    }
}

/// The present terms that the payment accepts, or earlier ones that are still open.
fn matching(gate: &Gate, accepted: &Value, now_ms: u64) -> Option<Arc<Terms>> {
    let open = gate
        .earlier
        .iter()
        .filter(|earlier| now_ms <= earlier.until_ms);
    gate.endpoint
        .terms()
        .iter()
        .chain(open.flat_map(|earlier| &earlier.terms))
        .find(|terms| find_match(std::slice::from_ref(terms.offered()), accepted, &[]).is_some())
        .cloned()
}

/// A payment for terms that are not offered (any more). It may have been served while they were.
fn unmatched(accepted: &Value, body: &Value) -> Presented {
    let refusal = Refusal::from(ProblemCode::NoMatchingRequirements);
    let text = |key: &str| accepted.get(key).and_then(Value::as_str);
    let network = text("network").and_then(|network| network.parse::<Network>().ok());
    let asset = text("asset").and_then(|asset| parse_address(asset).ok());
    match (network, asset, ExactEvmPayload::parse(body)) {
        (Some(network), Some(asset), Ok(exact)) => {
            let authorization = &exact.authorization;
            let key = PaymentKey {
                network,
                asset,
                payer: authorization.from,
                nonce: authorization.nonce,
            };
            Presented::Late(Box::new((key, exact)), refusal)
        }
        _ => Presented::Refused(refusal),
    }
}

fn echoed(payload: &Value) -> Result<(), Refusal> {
    let extensions = match payload.get("extensions") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Object(extensions)) => extensions,
        Some(_) => return Err(ProblemCode::PaymentUndecodable.into()),
    };
    check_echo(None, Some(extensions), &|_| &[]).map_err(|key| {
        let key: String = key.chars().take(64).collect();
        Problem::new(ProblemCode::ExtensionEchoMismatch)
            .extension(key)
            .into()
    })
}

fn key_of(terms: &Terms, exact: &ExactEvmPayload) -> PaymentKey {
    PaymentKey {
        network: terms.network().clone(),
        asset: terms.asset().address,
        payer: exact.authorization.from,
        nonce: exact.authorization.nonce,
    }
}

/// `validBefore`, if the payment is valid now, long enough to be settled, and not for longer than the terms say.
fn valid_before(
    gate: &Gate,
    terms: &Terms,
    exact: &ExactEvmPayload,
    now: u64,
) -> Result<u64, ProblemCode> {
    let limits = &gate.core.limits;
    let valid_before = u64::try_from(exact.authorization.valid_before)
        .map_err(|_| ProblemCode::ValidityTooLong)?;
    let valid_after =
        u64::try_from(exact.authorization.valid_after).map_err(|_| ProblemCode::ValidAfter)?;
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

fn factory_allowed(gate: &Gate, exact: &ExactEvmPayload) -> bool {
    match exact.signature.unwrap_erc6492() {
        Ok(Some(wrapper)) => gate.core.factories.contains(&wrapper.factory),
        Ok(None) | Err(_) => false,
    }
}
