//! The terms of one rail as version 1 says them, for buyers and facilitators that know no other.

use serde_json::{Map, Value, json};
use x402_model::evm::EvmKind;
use x402_model::problem::ProblemCode;
use x402_model::wire::v1;

use super::{FIRST_CONTACT, NO_MATCH};
use crate::bind::{BoundEndpoint, Terms};

/// The `error` of an answer to a request without payment.
const HEADER_REQUIRED: &str = "X-PAYMENT header is required";
/// The `error` when a payment fits none of the terms.
const NO_MATCH_V1: &str = "Unable to find matching payment requirements";
/// The reason for a wrong value, which version 2 calls differently (protocol 2).
const WRONG_VALUE: &str = "invalid_exact_evm_authorization_value";

/// The entry of `accepts` for the resource at `url`. `None` on networks that version 1 has no name for, and for what is paid through Permit2.
pub(crate) fn entry(
    endpoint: &BoundEndpoint,
    terms: &Terms,
    url: String,
) -> Option<v1::PaymentRequirements> {
    if terms.kind() != EvmKind::Eip3009Exact {
        // Buyers of version 1 sign nothing else, whatever `extra` says.
        return None;
    }
    let network = terms.network().short_name()?;
    let view = terms.offered().view()?;
    Some(v1::PaymentRequirements {
        scheme: view.scheme.clone(),
        network: network.to_owned(),
        max_amount_required: view.amount.clone(),
        resource: url,
        description: endpoint.description().to_owned(),
        mime_type: endpoint.mime_type().to_owned(),
        output_schema: Some(how_to_call(endpoint)),
        pay_to: view.pay_to.clone(),
        max_timeout_seconds: view.max_timeout_seconds,
        asset: view.asset.clone(),
        extra: Some(view.extra.clone()),
    })
}

/// What directories of version 1 read to know how a resource is called.
fn how_to_call(endpoint: &BoundEndpoint) -> Map<String, Value> {
    let method = endpoint.method().as_str();
    let input = json!({ "type": "http", "method": method, "discoverable": true });
    Map::from_iter([("input".to_owned(), input)])
}

/// The `error` of a body, in the words of version 1. What a facilitator said in words of its own stays.
pub(crate) fn error(error: &str) -> &str {
    match error {
        FIRST_CONTACT => HEADER_REQUIRED,
        NO_MATCH => NO_MATCH_V1,
        _ if ProblemCode::ValueMismatch.reason() == Some(error) => WRONG_VALUE,
        _ => error,
    }
}
