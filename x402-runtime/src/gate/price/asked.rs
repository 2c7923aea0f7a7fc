//! A request whose price is wanted: what of it is read, and what the price may look at.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::extract::{FromRequestParts as _, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use bytes::Bytes;
use http_body::Body as _;
use x402_model::price::{Facts, PriceModel, Selector, Source};
use x402_model::problem::ProblemCode;

use super::pricer::Priced;
use super::{Pricing, quote};
use crate::gate::checks::{Presented, Refusal, Version, check};
use crate::gate::fingerprint::fingerprint;
use crate::gate::{Gate, body};
use crate::ledger::Fingerprint;

/// A request whose price is wanted, with its body if the price looks at it.
pub(super) struct Asked {
    pub(super) parts: Parts,
    pub(super) body: Body,
    pub(super) read: Bytes,
    pub(super) uri: Uri,
    pub(super) fingerprint: Fingerprint,
    /// The headers that the price looks at, by name.
    pub(super) looked_at: BTreeSet<String>,
}

impl Asked {
    /// The request as far as quotes are bound to it.
    pub(super) fn shown(&self) -> quote::Request<'_> {
        quote::Request {
            fingerprint: &self.fingerprint,
            headers: &self.parts.headers,
        }
    }

    /// What it presents at a price.
    pub(super) fn presents(&self, priced: &Priced) -> (Version, Presented) {
        let (version, presented) = check(&priced.gate, &self.parts.headers, self.uri.path());
        match (priced.only, presented.payer()) {
            (Some(only), Some(payer)) if only != payer => {
                let refusal = Refusal::from(ProblemCode::QuotedToAnotherPayer).by(payer);
                (version, Presented::Refused(refusal))
            }
            _ => (version, presented),
        }
    }
}

/// Reads what the price looks at.
pub(super) async fn ask(
    gate: &Gate,
    pricing: &Pricing,
    request: Request,
    uri: Uri,
) -> Result<Asked, Refusal> {
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

/// What the route captured, decoded.
pub(in crate::gate) async fn captures(parts: &mut Parts) -> Vec<(String, String)> {
    match RawPathParams::from_request_parts(parts, &()).await {
        Ok(captured) => captured
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        // A route without captures, or one that is no UTF-8, which no price can depend on.
        Err(_) => Vec::new(),
    }
}

pub(in crate::gate) fn facts<'a>(
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
