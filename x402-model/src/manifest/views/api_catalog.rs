//! The API catalog of RFC 9727: a linkset of the other documents.

use serde_json::{Map, Value, json};

use super::{links, put};
use crate::manifest::Manifest;

/// The `/.well-known/api-catalog` document, of type `application/linkset+json`.
#[must_use]
pub fn api_catalog(manifest: &Manifest) -> Value {
    let mut entry = Map::new();
    put(
        &mut entry,
        "anchor",
        Some(format!("{}/", manifest.service.origin)),
    );
    for (relation, link, kind) in [
        ("service-desc", "openapi", Some("application/json")),
        ("service-doc", "llmsTxt", Some("text/plain")),
        ("service-meta", "self", Some("application/json")),
        ("status", "status", None),
    ] {
        let targets = links::url(manifest, link).map(|href| {
            let mut target = Map::new();
            put(&mut target, "href", Some(href));
            put(&mut target, "type", kind);
            json!([target])
        });
        put(&mut entry, relation, targets);
    }
    json!({ "linkset": [entry] })
}
