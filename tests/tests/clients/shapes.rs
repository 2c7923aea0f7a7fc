//! The calls of the description of shapes, written down by hand with what they are on the wire: that is what its case is about.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use x402_model::manifest::EndpointEntry;
use x402_tests::shop::{Visit, Wire};

use crate::plan::{Call, visit};

/// What the service behind it does: it publishes no manifest.
pub(crate) const SOLD_BY: &str = include_str!("shapes.json");

/// The calls.
const CALLS: &str = include_str!("wire.json");

/// One call.
#[derive(Debug, Deserialize)]
struct Written {
    id: String,
    /// Its arguments, as the client takes them.
    input: Value,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    wire: Wire,
    status: u16,
    answer: Value,
}

/// The calls of an endpoint.
pub(crate) fn calls(at: usize, entry: &EndpointEntry) -> Vec<Call> {
    let all: Vec<Written> = serde_json::from_str(CALLS).expect("calls");
    let own: Vec<Written> = all.into_iter().filter(|one| one.id == entry.id).collect();
    assert!(own.len() > 1, "{}: calls are written down", entry.id);
    let calls = own.into_iter().map(|one| Call {
        endpoint: at,
        visits: vec![Visit {
            status: Some(one.status),
            wire: Some(one.wire),
            ..visit(entry, one.input, one.answer)
        }],
        headers: one.headers,
        ..Call::default()
    });
    calls.collect()
}
