//! The endpoints as tools of the Model Context Protocol, and the entry of its registry.

use serde_json::{Map, Value, json};

use super::bazaar::of_captures;
use super::keyword::{is_annotation, required};
use super::schema::{DEFINITIONS, Direction, Pool};
use super::text::{DESCRIPTION, SUMMARY, clipped, line, visible};
use super::{is_json, links, pay, put, sample};
use crate::endpoint::rules::captures;
use crate::manifest::{EndpointEntry, ExampleEntry, Manifest};

/// The parts of a request.
const PARTS: [&str; 4] = ["path", "query", "header", "body"];

/// Longest description that the registry takes.
const REGISTRY_DESCRIPTION: usize = 100;

/// The schema of the registry's entries.
const REGISTRY_SCHEMA: &str =
    "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";

/// The result of `tools/list`: one tool for each endpoint, with its price.
///
/// A tool takes the parameters and the members of the body side by side. Where a name stands in two of them, or where the body is
/// no plain object, it takes `path`, `query`, `header` and `body` instead.
#[must_use]
pub fn mcp_tools(manifest: &Manifest) -> Value {
    let tools = manifest
        .endpoints
        .iter()
        .map(|endpoint| tool(manifest, endpoint));
    json!({ "tools": tools.collect::<Vec<_>>() })
}

/// The entry of the registry (`server.json`). Nothing if no link says where the server is.
#[must_use]
pub fn mcp_server(manifest: &Manifest) -> Option<Value> {
    let url = links::url(manifest, "mcp")?;
    let service = &manifest.service;
    let name = service.id.rsplit_once('.').map_or_else(
        || service.id.clone(),
        |(domain, name)| format!("{domain}/{name}"),
    );
    Some(json!({
        "$schema": REGISTRY_SCHEMA,
        "name": name,
        "title": clipped(&line(&service.name), REGISTRY_DESCRIPTION),
        "description": clipped(&line(&service.description), REGISTRY_DESCRIPTION),
        "version": service.version,
        "remotes": [{ "type": "streamable-http", "url": url }],
    }))
}

fn tool(manifest: &Manifest, endpoint: &EndpointEntry) -> Value {
    let mut tool = Map::new();
    put(&mut tool, "name", Some(&*endpoint.id));
    put(
        &mut tool,
        "title",
        Some(clipped(&line(&endpoint.summary), SUMMARY)),
    );
    put(
        &mut tool,
        "description",
        Some(description(manifest, endpoint)),
    );
    let mut pool = Pool::new(&manifest.schemas, DEFINITIONS);
    let arguments = Arguments::of(&mut pool, endpoint);
    let examples = arguments.examples(endpoint);
    let schema = pool.close(arguments.schema);
    put(&mut tool, "inputSchema", Some(schema));
    put(&mut tool, "outputSchema", output_schema(manifest, endpoint));
    put(&mut tool, "annotations", Some(annotations(endpoint)));
    let mut meta = Map::new();
    if !pay::is_free(endpoint) {
        put(
            &mut meta,
            "x402/price",
            Some(pay::range(manifest, endpoint)),
        );
        put(
            &mut meta,
            "x402/accepts",
            Some(pay::accepts(manifest, endpoint)),
        );
    }
    put(&mut meta, "examples", examples);
    put(&mut tool, "_meta", (!meta.is_empty()).then_some(meta));
    Value::Object(tool)
}

fn description(manifest: &Manifest, endpoint: &EndpointEntry) -> String {
    let text = endpoint.description.as_ref().unwrap_or(&endpoint.summary);
    let text = clipped(&visible(text), DESCRIPTION);
    if pay::is_free(endpoint) {
        return format!("Free. {text}");
    }
    format!("Paid (x402): {}. {text}", pay::sentence(manifest, endpoint))
}

/// What a host may assume. What is not known is the worse of both.
fn annotations(endpoint: &EndpointEntry) -> Value {
    let method = endpoint.method.as_deref().unwrap_or("POST");
    let reads = endpoint.safe.unwrap_or(matches!(method, "GET" | "HEAD"));
    let replaces = matches!(method, "DELETE" | "PUT" | "PATCH");
    json!({
        "readOnlyHint": reads,
        "destructiveHint": !reads && replaces,
        "idempotentHint": endpoint.idempotent.unwrap_or(reads),
        "openWorldHint": true,
    })
}

/// The schema of the answer, if it is one JSON object.
fn output_schema(manifest: &Manifest, endpoint: &EndpointEntry) -> Option<Value> {
    let output = &endpoint.output;
    if output.stream.is_some() || !is_json(&output.content_type) {
        return None;
    }
    let mut pool = Pool::new(&manifest.schemas, DEFINITIONS);
    let schema = pool.add_inlined(output.schema.as_ref()?, Direction::Output);
    let object = schema.get("type").is_some_and(|kind| kind == "object");
    object.then(|| pool.close(schema))
}

/// The arguments of a tool.
pub(super) struct Arguments {
    /// The parts that they are made of.
    parts: Vec<&'static str>,
    /// Whether the members of the parts stand side by side.
    is_flat: bool,
    /// Their schema, which refers to what the pool has gathered.
    pub(super) schema: Value,
}

impl Arguments {
    pub(super) fn of<'m>(pool: &mut Pool<'m>, endpoint: &'m EndpointEntry) -> Self {
        let schemas = schemas(pool, endpoint);
        let parts = schemas.iter().map(|(name, _)| *name).collect();
        let flat = flat(&schemas);
        Self {
            parts,
            is_flat: flat.is_some(),
            schema: flat.unwrap_or_else(|| grouped(schemas)),
        }
    }

    /// Those of the first example, or of a call that is made of the schemas.
    pub(super) fn first(&self, manifest: &Manifest, endpoint: &EndpointEntry) -> Value {
        let values = self.parts.iter().map(|name| {
            let value = match (*name, &endpoint.input.body) {
                ("body", Some(body)) => sample::body(manifest, endpoint, body),
                _ => sample::parameters(manifest, endpoint, name).into(),
            };
            (*name, value)
        });
        joined(values, self.is_flat)
    }

    /// Those of all examples that the manifest has.
    fn examples(&self, endpoint: &EndpointEntry) -> Option<Vec<Value>> {
        let call = |example: &ExampleEntry| {
            let parts = PARTS.into_iter();
            let parts = parts.filter_map(|name| Some((name, example.input.get(name)?.clone())));
            joined(parts, self.is_flat)
        };
        let calls: Vec<Value> = endpoint.examples.iter().map(call).collect();
        (!calls.is_empty()).then_some(calls)
    }
}

/// The schemas of the parts that the endpoint takes.
fn schemas<'m>(pool: &mut Pool<'m>, endpoint: &'m EndpointEntry) -> Vec<(&'static str, Value)> {
    let input = &endpoint.input;
    let path = endpoint.path.as_deref().unwrap_or_default();
    let mut one = |schema: &'m Value| pool.add_inlined(schema, Direction::Input);
    let body = input.body.as_ref().map(|body| match &body.schema {
        Some(schema) => one(schema),
        None => json!({ "type": "string" }),
    });
    let captured = captures(path).next().map(|_| of_captures(path));
    let parts = [
        input.path.as_ref().map(&mut one).or(captured),
        input.query.as_ref().map(&mut one),
        input.header.as_ref().map(&mut one),
        body,
    ];
    let named = PARTS.into_iter().zip(parts);
    named
        .filter_map(|(name, part)| Some((name, part?)))
        .collect()
}

/// The parts as one object, if each is a plain one and no name stands in two.
fn flat(parts: &[(&'static str, Value)]) -> Option<Value> {
    let mut properties = Map::new();
    let mut needed = Vec::new();
    let mut closed = true;
    for (_, schema) in parts {
        let members = schema.as_object()?;
        let plain = |keyword: &str| {
            is_annotation(keyword)
                || matches!(
                    keyword,
                    "type" | "properties" | "required" | "additionalProperties"
                )
        };
        let object = members.get("type").is_some_and(|kind| kind == "object");
        if !object || !members.keys().all(|keyword| plain(keyword)) {
            return None;
        }
        match members.get("additionalProperties") {
            Some(Value::Bool(false)) => {}
            None | Some(Value::Bool(true)) => closed = false,
            Some(_) => return None,
        }
        for (name, property) in members.get("properties")?.as_object()? {
            if properties.insert(name.clone(), property.clone()).is_some() {
                return None;
            }
        }
        needed.extend(required(members).into_iter().map(str::to_owned));
    }
    let mut schema = json!({ "type": "object", "properties": properties });
    if let Value::Object(members) = &mut schema {
        put(members, "required", (!needed.is_empty()).then_some(needed));
        put(members, "additionalProperties", closed.then_some(false));
    }
    Some(schema)
}

fn grouped(parts: Vec<(&'static str, Value)>) -> Value {
    let needs = |(name, schema): &(&'static str, Value)| {
        let members = schema.as_object();
        let some = matches!(*name, "path" | "body")
            || members.is_some_and(|members| !required(members).is_empty());
        some.then_some(*name)
    };
    let needed: Vec<&str> = parts.iter().filter_map(needs).collect();
    let parts = parts
        .into_iter()
        .map(|(name, part)| (name.to_owned(), part));
    json!({
        "type": "object",
        "properties": parts.collect::<Map<_, _>>(),
        "required": needed,
        "additionalProperties": false,
    })
}

fn joined(parts: impl Iterator<Item = (&'static str, Value)>, flat: bool) -> Value {
    let mut arguments = Map::new();
    for (name, value) in parts {
        match value {
            Value::Object(members) if flat => arguments.extend(members),
            value => {
                arguments.insert(name.to_owned(), value);
            }
        }
    }
    Value::Object(arguments)
}
