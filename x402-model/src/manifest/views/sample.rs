//! An example call of an endpoint: the first that the manifest has, or one made of its schemas.

use core::cell::Cell;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::keyword::required;
use crate::endpoint::rules::captures;
use crate::manifest::refs::resolved;
use crate::manifest::{BodyEntry, EndpointEntry, ExampleEntry, Manifest};

/// How deep a made example goes.
const MAX_DEPTH: usize = 8;

/// How long a made example gets, in characters of its texts and names and one for each value: schemas that refer to each other
/// need few bytes to ask for very many.
const MAX_LENGTH: usize = 16 * 1024;

/// The example that a bare request is offered the price of.
pub(super) fn first(endpoint: &EndpointEntry) -> Option<&ExampleEntry> {
    endpoint.examples.first()
}

/// The value of one parameter in an example call: the example's, or the schema's own.
///
/// Captures always have one, because probes ask for the path.
pub(super) fn parameter(
    endpoint: &EndpointEntry,
    part: &str,
    name: &str,
    schema: &Value,
) -> Option<Value> {
    let written = first(endpoint).and_then(|example| example.input.get(part)?.get(name));
    written
        .cloned()
        .or_else(|| stated(schema).cloned())
        .or_else(|| (part == "path").then(|| Maker::new(&BTreeMap::new()).of(schema)))
}

/// The path of an example call.
pub(super) fn path(endpoint: &EndpointEntry) -> String {
    let pattern = endpoint.path.as_deref().unwrap_or("/");
    let segments = pattern.split('/').map(|segment| {
        let Some(name) = captures(segment).next() else {
            return segment.to_owned();
        };
        let text = json!({ "type": "string" });
        let schema = property(endpoint.input.path.as_ref(), name).unwrap_or(&text);
        let value = parameter(endpoint, "path", name, schema).unwrap_or_default();
        let rest = segment.starts_with("{*");
        encoded(&scalar(&value), rest)
    });
    segments.collect::<Vec<_>>().join("/")
}

/// The parts of an example call that are an object of parameters.
pub(super) fn parameters(
    manifest: &Manifest,
    endpoint: &EndpointEntry,
    part: &str,
) -> Map<String, Value> {
    let written = first(endpoint).and_then(|example| example.input.get(part)?.as_object());
    if let Some(written) = written {
        return written.clone();
    }
    let schema = match part {
        "path" => endpoint.input.path.as_ref(),
        "query" => endpoint.input.query.as_ref(),
        _ => endpoint.input.header.as_ref(),
    };
    match schema.map(|schema| Maker::new(&manifest.schemas).of(schema)) {
        Some(Value::Object(made)) => made,
        _ => Map::new(),
    }
}

/// The body of an example call.
pub(super) fn body(manifest: &Manifest, endpoint: &EndpointEntry, body: &BodyEntry) -> Value {
    let written = first(endpoint).and_then(|example| example.input.get("body"));
    written.cloned().unwrap_or_else(|| match &body.schema {
        Some(schema) => Maker::new(&manifest.schemas).of(schema),
        None => json!(""),
    })
}

/// The schema of one parameter.
pub(super) fn property<'v>(object: Option<&'v Value>, name: &str) -> Option<&'v Value> {
    object?.get("properties")?.get(name)
}

/// An example that a schema states.
fn stated(schema: &Value) -> Option<&Value> {
    let listed = |name: &str| schema.get(name)?.as_array()?.first();
    listed("examples")
        .or_else(|| schema.get("example"))
        .or_else(|| schema.get("default"))
        .or_else(|| schema.get("const"))
        .or_else(|| listed("enum"))
        .filter(|value| !value.is_null())
}

/// Makes one example.
struct Maker<'m> {
    shared: &'m BTreeMap<String, Value>,
    /// What may still be added to it.
    left: Cell<usize>,
}

impl<'m> Maker<'m> {
    fn new(shared: &'m BTreeMap<String, Value>) -> Self {
        let left = Cell::new(MAX_LENGTH);
        Self { shared, left }
    }

    /// A small value of a schema: of objects only what is required. A best effort where a schema has patterns and conditions.
    fn of(&self, schema: &Value) -> Value {
        self.within(schema, schema, 0)
    }

    /// Pays for so much more of the example, if it may become that long.
    fn spend(&self, length: usize) -> Option<()> {
        self.left.set(self.left.get().checked_sub(length)?);
        Some(())
    }

    fn within(&self, root: &Value, schema: &Value, depth: usize) -> Value {
        if depth > MAX_DEPTH || self.spend(1).is_none() {
            return Value::Null;
        }
        if let Some(value) = stated(schema) {
            let length = length(value, self.left.get());
            return self
                .spend(length)
                .map(|()| value.clone())
                .unwrap_or_default();
        }
        let deeper =
            |root: &Value, schema: &Value| self.within(root, schema, depth.saturating_add(1));
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let found = resolved(self.shared, root, reference);
            return found.map_or(Value::Null, |found| deeper(found.root, found.schema));
        }
        for name in ["oneOf", "anyOf", "allOf"] {
            let branch = schema.get(name).and_then(Value::as_array);
            if let Some(branch) = branch.and_then(|all| all.first()) {
                return deeper(root, branch);
            }
        }
        self.typed(schema, &|inner| deeper(root, inner))
    }

    fn typed(&self, schema: &Value, one: &dyn Fn(&Value) -> Value) -> Value {
        let kind = match schema.get("type") {
            Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
            kind => kind.and_then(Value::as_str),
        };
        match kind {
            Some("integer" | "number") => {
                let least = schema.get("minimum").filter(|least| least.is_number());
                least.cloned().unwrap_or_else(|| json!(1))
            }
            Some("boolean") => json!(true),
            Some("null") => Value::Null,
            Some("array") => array(schema, one),
            Some("object") => self.object(schema, one),
            None if schema.get("properties").is_some() => self.object(schema, one),
            _ => {
                let text = text(schema);
                self.spend(text.len())
                    .map(|()| text.into())
                    .unwrap_or_default()
            }
        }
    }

    fn object(&self, schema: &Value, one: &dyn Fn(&Value) -> Value) -> Value {
        let mut members = Map::new();
        for name in schema.as_object().map(required).unwrap_or_default() {
            if self.spend(name.len().saturating_add(1)).is_none() {
                break;
            }
            let value = property(Some(schema), name).map_or(Value::Null, one);
            members.insert(name.to_owned(), value);
        }
        Value::Object(members)
    }
}

/// The length of a value, as far as it is asked for.
fn length(value: &Value, most: usize) -> usize {
    let mut sum = 1_usize;
    match value {
        Value::String(text) => sum = sum.saturating_add(text.len()),
        Value::Array(items) => {
            for item in items {
                if sum > most {
                    break;
                }
                sum = sum.saturating_add(length(item, most.saturating_sub(sum)));
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                if sum > most {
                    break;
                }
                sum = sum.saturating_add(name.len());
                sum = sum.saturating_add(length(member, most.saturating_sub(sum)));
            }
        }
        _ => {}
    }
    sum
}

fn array(schema: &Value, one: &dyn Fn(&Value) -> Value) -> Value {
    let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
    let item = schema.get("items").unwrap_or(&Value::Null);
    // Nobody needs more to see what an item is.
    (0..least.min(8)).map(|_| one(item)).collect()
}

fn text(schema: &Value) -> String {
    let known = match schema.get("format").and_then(Value::as_str) {
        Some("date-time") => "2026-01-01T00:00:00Z",
        Some("date") => "2026-01-01",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        Some("email") => "someone@example.com",
        Some("uri" | "url") => "https://example.com/",
        _ => "example",
    };
    let length = |name: &str| {
        let length = schema.get(name).and_then(Value::as_u64)?;
        usize::try_from(length.min(256)).ok()
    };
    let mut value = known.to_owned();
    while value.len() < length("minLength").unwrap_or(0) {
        value.push('x');
    }
    if let Some(most) = length("maxLength") {
        value.truncate(most);
    }
    value
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Percent-encodes what cannot stand in a path; the slashes of a rest stay.
fn encoded(text: &str, rest: bool) -> String {
    use core::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if plain || (rest && byte == b'/') {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
