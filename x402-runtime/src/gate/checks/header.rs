//! The one payment header of a request, read as far as its version.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use x402_model::problem::{Problem, ProblemCode};
use x402_model::wire::{CodecError, headers};

use super::{Refusal, Version};
use crate::gate::Gate;
use crate::project::NO_MATCH;
use crate::telemetry::event;

pub(in crate::gate) const PAYMENT_SIGNATURE: HeaderName =
    HeaderName::from_static("payment-signature");
pub(in crate::gate) const X_PAYMENT: HeaderName = HeaderName::from_static("x-payment");

/// Finds the payment header. Two of them are none, whatever their versions: two readers of one request must not see two
/// payments.
pub(super) fn find(headers: &HeaderMap) -> Result<(Version, &HeaderValue), Refusal> {
    let both = [(Version::V2, &PAYMENT_SIGNATURE), (Version::V1, &X_PAYMENT)];
    let mut found = both.into_iter().flat_map(|(version, name)| {
        let values = headers.get_all(name).iter();
        values.map(move |value| (version, value))
    });
    match (found.next(), found.next()) {
        (None, _) => Err(ProblemCode::PaymentRequired.into()),
        // A comma is no base64: somebody on the way has folded two headers into one.
        (Some((version, value)), None) if !value.as_bytes().contains(&b',') => Ok((version, value)),
        _ => Err(ProblemCode::DuplicatePaymentHeader.into()),
    }
}

/// Decodes the header to text.
pub(super) fn text(gate: &Gate, version: Version, header: &HeaderValue) -> Result<String, Refusal> {
    let cap = gate.core.limits.header_cap;
    let decoded = match version {
        Version::V1 => headers::decode_text_v1(header.as_bytes(), cap),
        Version::V2 => headers::decode_text(header.as_bytes(), cap),
    };
    decoded.map_err(|error| unreadable(gate, error))
}

fn unreadable(gate: &Gate, error: CodecError) -> Refusal {
    match error {
        CodecError::TooLarge { cap, .. } => {
            let limit = u64::try_from(cap).unwrap_or(u64::MAX);
            Problem::new(ProblemCode::PaymentTooLarge)
                .limit(limit)
                .into()
        }
        other => {
            tracing::debug!(name: event::UNDECODABLE, endpoint = gate.endpoint.id(), error = other.code(), "a payment header could not be read");
            Refusal::from(ProblemCode::PaymentUndecodable)
        }
    }
}

/// Parses the text of a header to a JSON object of its version.
pub(super) fn tree(gate: &Gate, version: Version, text: &str) -> Result<Value, Refusal> {
    let payload: Value = headers::from_text(text).map_err(|error| unreadable(gate, error))?;
    if !payload.is_object() {
        return Err(ProblemCode::PaymentUndecodable.into());
    }
    let found = payload.get("x402Version").and_then(whole_number);
    match (version, found) {
        (Version::V2, Some(2)) | (Version::V1, Some(1)) => Ok(payload),
        // A version 1 payment in the header of version 2 has no `accepted` that could match.
        (Version::V2, Some(1)) => Err(Refusal::new(ProblemCode::NoMatchingRequirements, NO_MATCH)),
        (_, other) => {
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
