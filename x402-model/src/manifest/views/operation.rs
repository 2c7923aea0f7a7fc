//! One operation of the OpenAPI document.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::openapi::http;
use super::schema::{Direction, Pool};
use super::text::{DESCRIPTION, SUMMARY, clipped, line, visible};
use super::{is_json, pay, put, sample};
use crate::endpoint::rules::captures;
use crate::manifest::{EndpointEntry, ErrorEntry, ExampleEntry, Manifest};

/// The schemas of all operations, with references into the document.
#[derive(Debug)]
pub(super) struct Schemas {
    inputs: BTreeMap<(String, &'static str), Value>,
    outputs: BTreeMap<String, Value>,
}

impl Schemas {
    /// Adds every schema to the pool, outputs first: what is sent and received is described as it is received.
    pub(super) fn of<'m>(manifest: &'m Manifest, pool: &mut Pool<'m>) -> Self {
        let outputs = http(manifest).filter_map(|endpoint| {
            let schema = pool.add(endpoint.output.schema.as_ref()?, Direction::Output);
            Some((endpoint.id.clone(), schema))
        });
        let outputs = outputs.collect();
        let mut inputs = BTreeMap::new();
        for endpoint in http(manifest) {
            let input = &endpoint.input;
            let body = input.body.as_ref().and_then(|body| body.schema.as_ref());
            // Parameters are looked for in the object itself.
            for (part, schema) in [
                ("path", &input.path),
                ("query", &input.query),
                ("header", &input.header),
            ] {
                if let Some(schema) = schema {
                    let schema = pool.add_inlined(schema, Direction::Input);
                    inputs.insert((endpoint.id.clone(), part), schema);
                }
            }
            if let Some(schema) = body {
                let schema = pool.add(schema, Direction::Input);
                inputs.insert((endpoint.id.clone(), "body"), schema);
            }
        }
        Self { inputs, outputs }
    }

    fn input(&self, endpoint: &EndpointEntry, part: &'static str) -> Option<&Value> {
        self.inputs.get(&(endpoint.id.clone(), part))
    }
}

pub(super) fn operation(
    manifest: &Manifest,
    endpoint: &EndpointEntry,
    schemas: &Schemas,
    problem: &str,
) -> Value {
    let free = pay::is_free(endpoint);
    let mut out = Map::new();
    put(&mut out, "operationId", Some(&*endpoint.id));
    put(
        &mut out,
        "summary",
        Some(clipped(&line(&endpoint.summary), SUMMARY)),
    );
    let text = endpoint.description.as_deref().unwrap_or(&endpoint.summary);
    put(
        &mut out,
        "description",
        Some(clipped(&visible(text), DESCRIPTION)),
    );
    put(
        &mut out,
        "tags",
        (!endpoint.tags.is_empty()).then_some(&endpoint.tags),
    );
    // No key is asked for: the payment is all.
    put(&mut out, "security", Some(json!([])));
    let deprecation = endpoint.deprecation.as_ref().or_else(|| {
        let mut listed = manifest.deprecations.iter();
        listed.find(|it| it.endpoint.as_ref() == Some(&endpoint.id))
    });
    put(&mut out, "deprecated", deprecation.map(|_| true));
    put(&mut out, "x-x402-deprecation", deprecation);
    let mut parameters = parameters(endpoint, schemas);
    let body = request_body(endpoint, schemas);
    if parameters.is_empty() && body.is_none() && !free {
        // Readers miss an input where there is none. The payment is one.
        parameters.push(payment_header());
    }
    put(
        &mut out,
        "parameters",
        (!parameters.is_empty()).then_some(parameters),
    );
    put(&mut out, "requestBody", body);
    put(
        &mut out,
        "x-payment-info",
        (!free).then(|| pay::payment_info(manifest, endpoint)),
    );
    put(&mut out, "x-x402-price", Some(price(endpoint)));
    let charge = manifest.charge_of(endpoint);
    put(&mut out, "x-x402-charge", charge.filter(|_| !free));
    let idempotency = manifest.idempotency_of(endpoint);
    put(&mut out, "x-x402-idempotency", idempotency);
    put(
        &mut out,
        "responses",
        Some(responses(manifest, endpoint, schemas, problem)),
    );
    Value::Object(out)
}

/// The rule of the price with everything that changes it.
fn price(endpoint: &EndpointEntry) -> Option<Value> {
    let mut price = serde_json::to_value(&endpoint.price).ok()?;
    if let Value::Object(members) = &mut price {
        let some = |list: &[_]| !list.is_empty();
        put(
            members,
            "allowances",
            (!endpoint.allowances.is_empty()).then_some(&endpoint.allowances),
        );
        put(
            members,
            "scheduled",
            (!endpoint.scheduled.is_empty()).then_some(&endpoint.scheduled),
        );
        put(
            members,
            "plans",
            some(&endpoint.plans).then_some(&endpoint.plans),
        );
    }
    Some(price)
}

fn parameters(endpoint: &EndpointEntry, schemas: &Schemas) -> Vec<Value> {
    let mut out = Vec::new();
    let path = endpoint.path.as_deref().unwrap_or_default();
    let any_text = json!({ "type": "string" });
    let input = |part| schemas.input(endpoint, part);
    for name in captures(path) {
        let schema = sample::property(input("path"), name).unwrap_or(&any_text);
        out.push(parameter(endpoint, "path", name, schema, true));
    }
    for part in ["query", "header"] {
        let Some(object) = input(part).and_then(Value::as_object) else {
            continue;
        };
        let needed = super::keyword::required(object);
        let properties = object.get("properties").and_then(Value::as_object);
        let mut properties: Vec<_> = properties.into_iter().flatten().collect();
        properties.sort_by_key(|(name, _)| *name);
        for (name, schema) in properties {
            let needed = needed.contains(&name.as_str());
            out.push(parameter(endpoint, part, name, schema, needed));
        }
    }
    out
}

fn parameter(
    endpoint: &EndpointEntry,
    part: &'static str,
    name: &str,
    schema: &Value,
    required: bool,
) -> Value {
    let mut out = Map::new();
    put(&mut out, "name", Some(name));
    put(&mut out, "in", Some(part));
    put(&mut out, "required", Some(required));
    let description = schema.get("description").and_then(Value::as_str);
    put(&mut out, "description", description.map(visible));
    put(
        &mut out,
        "example",
        sample::parameter(endpoint, part, name, schema),
    );
    put(&mut out, "schema", Some(schema));
    Value::Object(out)
}

fn payment_header() -> Value {
    json!({
        "name": "PAYMENT-SIGNATURE",
        "in": "header",
        "required": false,
        "description": "Base64 JSON payment for the terms of the 402 (x402 v2)",
        "schema": { "type": "string" },
    })
}

/// The body that the endpoint takes. One that takes none is said to take any object, or nothing: readers look for a body where
/// the method may have one.
fn request_body(endpoint: &EndpointEntry, schemas: &Schemas) -> Option<Value> {
    let Some(body) = &endpoint.input.body else {
        let method = endpoint.method.as_deref().unwrap_or_default();
        let nothing = json!({
            "required": false,
            "content": { "application/json": { "schema": { "type": "object" } } },
        });
        return matches!(method, "POST" | "PUT" | "PATCH").then_some(nothing);
    };
    let schema = schemas.input(endpoint, "body").cloned();
    let schema = schema.unwrap_or_else(|| of_type(&body.content_type));
    let content = content(endpoint, schema, |example| example.input.get("body"));
    Some(json!({ "required": true, "content": { &*body.content_type: content } }))
}

/// A media type with the examples of the manifest, by name.
fn content<'m>(
    endpoint: &'m EndpointEntry,
    schema: Value,
    value: impl Fn(&'m ExampleEntry) -> Option<&'m Value>,
) -> Value {
    let mut examples = Map::new();
    for example in &endpoint.examples {
        if let Some(value) = value(example) {
            // Of two with one name, the first is the probe.
            examples
                .entry(line(&example.name))
                .or_insert_with(|| json!({ "value": value }));
        }
    }
    let mut content = Map::new();
    put(&mut content, "schema", Some(schema));
    put(
        &mut content,
        "examples",
        (!examples.is_empty()).then_some(examples),
    );
    Value::Object(content)
}

/// The schema of a body that has none.
fn of_type(content_type: &str) -> Value {
    if is_json(content_type) {
        json!({})
    } else if content_type.starts_with("text/") {
        json!({ "type": "string" })
    } else {
        json!({ "type": "string", "format": "binary" })
    }
}

fn responses(
    manifest: &Manifest,
    endpoint: &EndpointEntry,
    schemas: &Schemas,
    problem: &str,
) -> Map<String, Value> {
    let free = pay::is_free(endpoint);
    let refusal = json!({
        "application/json": { "schema": { "$ref": format!("#/components/schemas/{problem}") } },
    });
    let mut out = Map::new();
    let codes = endpoint
        .errors
        .as_ref()
        .unwrap_or(&manifest.defaults.errors);
    let mut by_status: BTreeMap<u16, Vec<&ErrorEntry>> = BTreeMap::new();
    for error in codes.iter().filter_map(|code| manifest.errors.get(code)) {
        by_status.entry(error.status).or_default().push(error);
    }
    by_status.retain(|status, _| (400..600).contains(status) && *status != 402);
    for (status, errors) in by_status {
        let said: Vec<String> = errors
            .iter()
            .filter_map(|error| error.description.as_deref().map(visible))
            .collect();
        let said = if said.is_empty() {
            "Refused".to_owned()
        } else {
            said.join(" ")
        };
        out.insert(
            status.to_string(),
            json!({ "description": said, "content": refusal }),
        );
    }
    if !free {
        let terms = json!({
            "description": "Payment Required",
            "headers": { "PAYMENT-REQUIRED": header("Base64 JSON PaymentRequired (x402 v2)") },
            "content": refusal,
        });
        out.insert("402".to_owned(), terms);
    }
    let mut success = Map::new();
    put(&mut success, "description", Some("Success"));
    if !free {
        let receipt = json!({ "PAYMENT-RESPONSE": header("Base64 JSON settlement result") });
        put(&mut success, "headers", Some(receipt));
    }
    success.extend(answer(endpoint, schemas.outputs.get(&endpoint.id)));
    out.insert(endpoint.output.status.to_string(), Value::Object(success));
    out
}

fn header(description: &str) -> Value {
    json!({ "description": description, "schema": { "type": "string" } })
}

/// The content of a success. A stream is text to readers that know one value per answer; its events are described beside it.
fn answer(endpoint: &EndpointEntry, schema: Option<&Value>) -> Map<String, Value> {
    let output = &endpoint.output;
    let mut out = Map::new();
    let content = if let Some(stream) = &output.stream {
        let mut events = Map::new();
        put(&mut events, "format", Some(stream));
        put(&mut events, "event", schema);
        put(&mut out, "x-x402-stream", Some(events));
        json!({ "schema": { "type": "string" } })
    } else if output.status == 204 {
        return out;
    } else {
        let schema = schema
            .cloned()
            .unwrap_or_else(|| of_type(&output.content_type));
        content(endpoint, schema, |example| example.output.as_ref())
    };
    let pagination = output.pagination.as_ref();
    put(&mut out, "x-x402-pagination", pagination);
    put(
        &mut out,
        "content",
        Some(json!({ &*output.content_type: content })),
    );
    out
}
