//! The OpenAPI 3.1 document: what the world reads first.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::operation::{self, Schemas};
use super::schema::Pool;
use super::text::{GUIDANCE, clipped, line, visible};
use super::{cycles, links, ownership_proofs, put, route_template, widened};
use crate::manifest::{self, EndpointEntry, Manifest, hash_text};

/// The dialect of the schemas, which OpenAPI 3.1 names in each document.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Where the shared schemas of a document are.
pub(super) const COMPONENTS: &str = "#/components/schemas/";

/// The OpenAPI 3.1 document, with `x-payment-info` on each operation that costs something.
///
/// Both profiles of the extension accept it: `price` in the currency, `protocols` with atomic amounts. `x-x402-manifest` names the
/// manifest that it was made of, by its stated content hash or, where none is stated, by that of this typed view.
///
/// A schema that refers to itself is cut where it does, because a widely used reader expands references without end;
/// `x-x402-recursive` names what stands there. [`openapi_30`](super::openapi_30) has it whole.
///
/// ```
/// use x402_model::manifest::{Document, views};
/// # let text = include_bytes!("../../../tests/manifest/manifest.json");
/// # let document = Document::read(text)?;
/// let openapi = views::openapi(document.manifest());
/// let weather = &openapi["paths"]["/v1/weather/{city}"]["get"];
/// assert_eq!(weather["x-payment-info"]["price"]["amount"], "0.001");
/// # Ok::<(), x402_model::manifest::ManifestError>(())
/// ```
#[must_use]
pub fn openapi(manifest: &Manifest) -> Value {
    let mut document = whole(manifest);
    if let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") {
        cycles::cut(schemas);
    }
    settle(&mut document);
    document
}

/// Makes sure that no schema of a whole document takes less than the manifest's.
pub(super) fn settle(document: &mut Value) {
    let wide = match document.pointer_mut("/components/schemas") {
        Some(Value::Object(schemas)) => widened::wide(schemas, COMPONENTS),
        _ => BTreeSet::new(),
    };
    each_schema(document, &mut |schema| {
        widened::settle(schema, COMPONENTS, &wide)
    });
}

/// Calls `change` for every schema of a document that stands in no other.
pub(super) fn each_schema(document: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    each(document, "/components/schemas", change);
    each(document, "/paths", &mut |item| {
        each(item, "", &mut |operation| in_operation(operation, change));
    });
}

/// Calls `change` for what stands at each name of an object, if there is one at the pointer.
fn each(holder: &mut Value, pointer: &str, change: &mut dyn FnMut(&mut Value)) {
    if let Some(Value::Object(members)) = holder.pointer_mut(pointer) {
        members.values_mut().for_each(change);
    }
}

fn in_operation(operation: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    // The schema of a parameter, header or media type.
    let mut held = |holder: &mut Value| {
        if let Some(schema) = holder.get_mut("schema") {
            change(schema);
        }
    };
    if let Some(Value::Array(parameters)) = operation.get_mut("parameters") {
        parameters.iter_mut().for_each(&mut held);
    }
    each(operation, "/requestBody/content", &mut held);
    each(operation, "/responses", &mut |response| {
        each(response, "/content", &mut held);
        each(response, "/headers", &mut held);
    });
    each(operation, "/responses", &mut |response| {
        if let Some(event) = response.pointer_mut("/x-x402-stream/event") {
            change(event);
        }
    });
}

/// The document with its recursion, not settled yet.
pub(super) fn whole(manifest: &Manifest) -> Value {
    let service = &manifest.service;
    let mut pool = Pool::new(&manifest.schemas, COMPONENTS);
    let problem = pool.reserve("Problem");
    let schemas = Schemas::of(manifest, &mut pool);
    let paths = paths(manifest, &schemas, &problem);
    pool.keep(problem, problem_schema(manifest));

    let mut out = Map::new();
    put(&mut out, "openapi", Some("3.1.0"));
    put(&mut out, "info", Some(info(manifest)));
    put(&mut out, "jsonSchemaDialect", Some(DIALECT));
    put(
        &mut out,
        "servers",
        Some(json!([{ "url": service.origin }])),
    );
    let tags: BTreeSet<&str> = http(manifest)
        .flat_map(|it| &it.tags)
        .map(String::as_str)
        .collect();
    let tags: Vec<Value> = tags.into_iter().map(|tag| json!({ "name": tag })).collect();
    put(&mut out, "tags", (!tags.is_empty()).then_some(tags));
    let proofs = ownership_proofs(manifest).map(|proofs| json!({ "ownershipProofs": proofs }));
    put(&mut out, "x-discovery", proofs);
    put(&mut out, "x-service-info", Some(service_info(manifest)));
    let llms = links::url(manifest, "llmsTxt").map(|url| json!({ "llmsTxtUrl": url }));
    put(&mut out, "x-agentcash-guidance", llms);
    let this = json!({
        "url": links::reference(manifest, "self"),
        "contentHash": content_hash(manifest),
        "revision": service.revision,
    });
    put(&mut out, "x-x402-manifest", Some(this));
    put(&mut out, "paths", Some(paths));
    put(
        &mut out,
        "components",
        Some(json!({ "schemas": pool.finish() })),
    );
    Value::Object(out)
}

/// The endpoints that are operations of HTTP.
pub(super) fn http(manifest: &Manifest) -> impl Iterator<Item = &EndpointEntry> {
    manifest
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.kind == "http")
}

fn info(manifest: &Manifest) -> Value {
    let service = &manifest.service;
    let mut info = Map::new();
    put(&mut info, "title", Some(line(&service.name)));
    put(&mut info, "version", Some(&*service.version));
    put(
        &mut info,
        "description",
        Some(visible(&service.description)),
    );
    let guidance = service.guidance.as_deref();
    put(
        &mut info,
        "x-guidance",
        guidance.map(|text| clipped(&visible(text), GUIDANCE)),
    );
    let mut contact = Map::new();
    let email = service.contact.as_ref().and_then(|it| it.email.as_deref());
    put(&mut contact, "email", email);
    put(&mut contact, "url", links::support(manifest));
    put(
        &mut info,
        "contact",
        (!contact.is_empty()).then_some(contact),
    );
    put(
        &mut info,
        "termsOfService",
        links::legal(manifest, "termsUrl"),
    );
    Value::Object(info)
}

fn service_info(manifest: &Manifest) -> Value {
    let categories = &manifest.service.categories;
    let mut docs = Map::new();
    put(&mut docs, "homepage", links::support(manifest));
    put(&mut docs, "llms", links::reference(manifest, "llmsTxt"));
    put(
        &mut docs,
        "apiReference",
        links::reference(manifest, "openapi"),
    );
    let mut info = Map::new();
    put(
        &mut info,
        "categories",
        (!categories.is_empty()).then_some(categories),
    );
    put(&mut info, "docs", Some(docs));
    Value::Object(info)
}

/// The stated hash, or that of the typed view, which is the document of who serves what it writes.
fn content_hash(manifest: &Manifest) -> Option<String> {
    if let Some(integrity) = &manifest.integrity {
        return Some(integrity.content_hash.clone());
    }
    let value = serde_json::to_value(manifest).ok()?;
    Some(hash_text(&manifest::content_hash(&value)))
}

fn paths(manifest: &Manifest, schemas: &Schemas, problem: &str) -> Map<String, Value> {
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in http(manifest) {
        let (Some(method), Some(path)) = (&endpoint.method, &endpoint.path) else {
            continue;
        };
        // OpenAPI has no captures that take the rest of a path.
        let template = route_template(path, |name| format!("{{{name}}}"));
        let item = paths.entry(template).or_insert_with(|| json!({}));
        if let Value::Object(item) = item {
            // A second endpoint at one route is never reached.
            item.entry(method.to_ascii_lowercase())
                .or_insert_with(|| operation::operation(manifest, endpoint, schemas, problem));
        }
    }
    paths
}

/// The body of every refusal. Only the code is always there, and later versions have more codes.
fn problem_schema(manifest: &Manifest) -> Value {
    let mut codes: Vec<&str> = Vec::new();
    let listed = http(manifest).filter_map(|endpoint| endpoint.errors.as_ref());
    for code in listed.fold(
        manifest.defaults.errors.iter().collect::<Vec<_>>(),
        |mut all, more| {
            all.extend(more);
            all
        },
    ) {
        if !codes.contains(&code.as_str()) {
            codes.push(code);
        }
    }
    let mut code = Map::new();
    put(&mut code, "type", Some("string"));
    put(&mut code, "enum", (!codes.is_empty()).then_some(codes));
    put(&mut code, "x-open-enum", Some(true));
    json!({
        "type": "object",
        "required": ["code"],
        "properties": {
            "code": code,
            "status": { "type": "integer" },
            "charged": { "anyOf": [{ "type": "boolean" }, { "type": "string" }] },
            "action": { "type": "string" },
            "detail": { "type": "string" },
            "explanation": { "type": "string" },
            "reason": { "type": "string" },
            "retryAfter": { "type": "integer" },
            "paymentId": { "type": "string" },
            "transaction": { "type": "string" },
            "network": { "type": "string" },
            "limit": { "type": "integer" },
            "extension": { "type": "string" },
        },
    })
}
