//! `/.well-known/x402`: what sellers of several formats have put there, in one document.
//!
//! It has the members of the DNS discovery draft, the `version` of the older list of resources, the rails without amounts, and
//! points to the manifest and the OpenAPI document. A resource is a bare pointer: what a call costs, its 402 says.

use serde_json::{Map, Value, json};

use super::text::{SUMMARY, clipped, line};
use super::{links, ownership_proofs, pay, put, sample};
use crate::manifest::{EndpointEntry, Manifest};

/// The `/.well-known/x402` document.
///
/// All addresses come from the manifest, none from a request.
#[must_use]
pub fn well_known(manifest: &Manifest) -> Value {
    let service = &manifest.service;
    let paid = manifest
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.kind == "http" && !pay::is_free(endpoint));
    let resources: Vec<Value> = paid.map(|endpoint| resource(manifest, endpoint)).collect();
    let rails = manifest.rails.values();
    let accepts: Vec<_> = rails.filter_map(|rail| pay::rail(manifest, rail)).collect();
    let contact = service.contact.as_ref();
    let mut out = Map::new();
    put(&mut out, "x402Version", Some(2));
    put(&mut out, "version", Some(1));
    put(&mut out, "kind", Some("resource-server"));
    put(&mut out, "name", Some(line(&service.name)));
    put(&mut out, "description", Some(line(&service.description)));
    put(&mut out, "resources", Some(resources));
    put(&mut out, "accepts", Some(accepts));
    put(&mut out, "manifest", links::url(manifest, "self"));
    put(&mut out, "openapi", links::url(manifest, "openapi"));
    put(&mut out, "ownershipProofs", ownership_proofs(manifest));
    put(&mut out, "docs", links::support(manifest));
    put(
        &mut out,
        "contact",
        contact.and_then(|contact| contact.email.as_deref()),
    );
    put(&mut out, "updated", Some(&*service.issued_at));
    Value::Object(out)
}

fn resource(manifest: &Manifest, endpoint: &EndpointEntry) -> Value {
    json!({
        "url": format!("{}{}", manifest.service.origin, sample::path(endpoint)),
        "method": endpoint.method,
        "description": clipped(&line(&endpoint.summary), SUMMARY),
    })
}
