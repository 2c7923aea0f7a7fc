//! The `bazaar` extension of a 402: an example call of one endpoint, and the JSON Schema of it.
//!
//! Catalogues read it from payments, so it is what gets a service listed. Everything it refers to is inside of it.

use serde_json::{Map, Value, json};

use super::mcp::Arguments;
use super::schema::{DEFINITIONS, Direction, Pool};
use super::{is_json, keyword, pay, put, route_template, sample};
use crate::endpoint::rules::captures;
use crate::manifest::{BodyEntry, EndpointEntry, Manifest};

/// The dialect of the schemas.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// What a block holds beyond the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) output_example: bool,
    pub(super) output_schema: bool,
    pub(super) descriptions: bool,
}

impl Parts {
    pub(super) const ALL: Self = Self {
        output_example: true,
        output_schema: true,
        descriptions: true,
    };
}

/// The whole `bazaar` block of an endpoint: `info`, `schema` and, for a path with captures, `routeTemplate`.
///
/// Nothing for an endpoint that is not in the manifest, or that is free and so has no 402. See [`fit`](super::fit) for a block
/// that does not make the header too long.
///
/// ```
/// use x402_model::manifest::{Document, views};
/// # let text = include_bytes!("../../../tests/manifest/manifest.json");
/// # let document = Document::read(text)?;
/// let block = views::bazaar(document.manifest(), "getWeather").unwrap();
/// assert_eq!(block["routeTemplate"], "/v1/weather/:city");
/// assert_eq!(block["info"]["input"]["pathParams"]["city"], "lisbon");
/// # Ok::<(), x402_model::manifest::ManifestError>(())
/// ```
#[must_use]
pub fn bazaar(manifest: &Manifest, id: &str) -> Option<Value> {
    block(manifest, id, Parts::ALL)
}

pub(super) fn block(manifest: &Manifest, id: &str, parts: Parts) -> Option<Value> {
    let endpoint = manifest
        .endpoints
        .iter()
        .find(|endpoint| endpoint.id == id)?;
    if pay::is_free(endpoint) {
        return None;
    }
    let mut pool = Pool::new(&manifest.schemas, DEFINITIONS);
    let output = parts
        .output_schema
        .then(|| output(&mut pool, endpoint, parts.output_example));
    let input = if endpoint.kind == "mcp" {
        mcp_input(&mut pool, manifest, endpoint)
    } else {
        http_input(&mut pool, manifest, endpoint)
    };
    let mut info = Map::new();
    let mut properties = Map::new();
    put(&mut info, "input", Some(input.example));
    put(&mut properties, "input", Some(input.schema));
    if let Some(output) = output {
        put(&mut info, "output", output.example);
        put(&mut properties, "output", Some(output.schema));
    }
    let mut schema = pool.close(json!({
        "$schema": DIALECT, "type": "object", "properties": properties, "required": ["input"],
    }));
    if !parts.descriptions {
        keyword::undescribed(&mut schema);
    }
    let mut block = Map::new();
    put(&mut block, "info", Some(info));
    put(&mut block, "schema", Some(schema));
    put(&mut block, "routeTemplate", template(endpoint));
    Some(Value::Object(block))
}

/// An example and its schema.
struct Part<E> {
    example: E,
    schema: Value,
}

fn http_input<'m>(
    pool: &mut Pool<'m>,
    manifest: &'m Manifest,
    endpoint: &'m EndpointEntry,
) -> Part<Value> {
    let method = endpoint.method.as_deref().unwrap_or("GET");
    let mut call = Call::default();
    call.fixed("type", "const", "http");
    call.fixed("method", "enum", method);
    let path = endpoint.path.as_deref().unwrap_or_default();
    if captures(path).next().is_some() {
        let schema = match &endpoint.input.path {
            Some(schema) => pool.add_inlined(schema, Direction::Input),
            None => of_captures(path),
        };
        let mut values = sample::parameters(manifest, endpoint, "path");
        for name in captures(path) {
            let text = json!({ "type": "string" });
            let schema = sample::property(endpoint.input.path.as_ref(), name).unwrap_or(&text);
            let value = sample::parameter(endpoint, "path", name, schema);
            values
                .entry(name)
                .or_insert_with(|| value.unwrap_or_default());
        }
        call.part("pathParams", values.into(), schema, true);
    }
    let body = body_of(endpoint, method);
    // A method without a body has query parameters for readers, if only none.
    if endpoint.input.query.is_some() || body.is_none() {
        let schema = endpoint.input.query.as_ref().map_or_else(
            || json!({ "type": "object", "properties": {} }),
            |schema| pool.add_inlined(schema, Direction::Input),
        );
        let needed = schema
            .as_object()
            .is_some_and(|it| !keyword::required(it).is_empty());
        let values = sample::parameters(manifest, endpoint, "query");
        call.part("queryParams", values.into(), schema, needed);
    }
    if let Some(schema) = &endpoint.input.header {
        let schema = pool.add_inlined(schema, Direction::Input);
        let needed = schema
            .as_object()
            .is_some_and(|it| !keyword::required(it).is_empty());
        let values = sample::parameters(manifest, endpoint, "header");
        call.part("headers", values.into(), schema, needed);
    }
    match body {
        Some(Body::Of(body)) => {
            call.fixed("bodyType", "enum", body_type(&body.content_type));
            let schema = body.schema.as_ref().map_or_else(
                || json!({ "type": "string" }),
                |schema| pool.add_inlined(schema, Direction::Input),
            );
            call.part("body", sample::body(manifest, endpoint, body), schema, true);
        }
        Some(Body::Nothing) => {
            call.fixed("bodyType", "enum", "json");
            call.part("body", json!({}), json!({ "type": "object" }), true);
        }
        None => {}
    }
    call.done()
}

/// The body of a call, for the methods that have one.
enum Body<'m> {
    Of(&'m BodyEntry),
    /// The endpoint takes none, but readers look for one.
    Nothing,
}

fn body_of<'m>(endpoint: &'m EndpointEntry, method: &str) -> Option<Body<'m>> {
    if !matches!(method, "POST" | "PUT" | "PATCH") {
        return None;
    }
    Some(endpoint.input.body.as_ref().map_or(Body::Nothing, Body::Of))
}

fn body_type(content_type: &str) -> &'static str {
    if is_json(content_type) {
        "json"
    } else if content_type.starts_with("multipart/") || content_type.contains("form-urlencoded") {
        "form-data"
    } else {
        "text"
    }
}

pub(super) fn of_captures(path: &str) -> Value {
    let names: Vec<&str> = captures(path).collect();
    let properties = names
        .iter()
        .map(|name| ((*name).to_owned(), json!({ "type": "string" })));
    json!({
        "type": "object", "properties": properties.collect::<Map<_, _>>(), "required": names,
    })
}

/// Gathers the parts of an example call with their schemas.
#[derive(Default)]
struct Call {
    example: Map<String, Value>,
    properties: Map<String, Value>,
    required: Vec<&'static str>,
}

impl Call {
    /// A member that has one value only.
    fn fixed(&mut self, name: &'static str, keyword: &str, value: &str) {
        let mut schema = Map::new();
        put(&mut schema, "type", Some("string"));
        if keyword == "enum" {
            put(&mut schema, "enum", Some(vec![value]));
        } else {
            put(&mut schema, keyword, Some(value));
        }
        self.part(name, value.into(), schema.into(), true);
    }

    fn part(&mut self, name: &'static str, example: Value, schema: Value, required: bool) {
        self.example.insert(name.to_owned(), example);
        self.properties.insert(name.to_owned(), schema);
        self.required.extend(required.then_some(name));
    }

    fn done(self) -> Part<Value> {
        Part {
            example: self.example.into(),
            schema: json!({
                "type": "object",
                "properties": self.properties,
                "required": self.required,
                "additionalProperties": false,
            }),
        }
    }
}

fn mcp_input<'m>(
    pool: &mut Pool<'m>,
    manifest: &'m Manifest,
    endpoint: &'m EndpointEntry,
) -> Part<Value> {
    // What stands in the example is a document of its own, with definitions of its own.
    let mut alone = Pool::new(&manifest.schemas, DEFINITIONS);
    let tool = Arguments::of(&mut alone, endpoint);
    let tool = alone.close(tool.schema);
    let arguments = Arguments::of(pool, endpoint);
    let example = arguments.first(manifest, endpoint);
    let mut call = Call::default();
    call.fixed("type", "const", "mcp");
    call.fixed("toolName", "const", &endpoint.id);
    call.fixed("transport", "enum", "streamable-http");
    call.part("inputSchema", tool, json!({ "type": "object" }), true);
    call.part("example", example, arguments.schema, false);
    call.done()
}

fn output<'m>(
    pool: &mut Pool<'m>,
    endpoint: &'m EndpointEntry,
    example: bool,
) -> Part<Option<Value>> {
    let output = &endpoint.output;
    let json = is_json(&output.content_type) || output.stream.is_some();
    let schema = match &output.schema {
        Some(schema) => pool.add_inlined(schema, Direction::Output),
        None if json => json!({}),
        None => json!({ "type": "string" }),
    };
    let written = sample::first(endpoint).and_then(|example| example.output.clone());
    let kind = if json { "json" } else { "text" };
    let info = written.filter(|_| example).map(|value| {
        let mut info = Map::new();
        put(&mut info, "type", Some(kind));
        put(&mut info, "format", output.stream.clone());
        put(&mut info, "example", Some(value));
        Value::Object(info)
    });
    Part {
        example: info,
        schema: json!({
            "type": "object",
            "properties": { "type": { "type": "string" }, "example": schema },
            "required": ["type"],
        }),
    }
}

/// The path with `:name` for captures, where it has any and catalogues take it.
fn template(endpoint: &EndpointEntry) -> Option<String> {
    let path = endpoint.path.as_deref()?;
    captures(path).next()?;
    let template = route_template(path, |name| format!(":{name}"));
    let taken = |b: u8| b.is_ascii_alphanumeric() || b"_/:.-~%".contains(&b);
    template.bytes().all(taken).then_some(template)
}
