//! No view of a manifest takes less than the manifest: what a reader of the view refuses, the manifest refuses too.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first thing that is not as expected"
)]

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use x402_model::manifest::views;
use x402_model::manifest::{Document, Manifest};

const EXAMPLE: &str = include_str!("manifest/manifest.json");

/// Shared schemas: one that says all it can in every view, two that cannot be said in some, and one that refers to itself.
fn shared() -> Value {
    json!({
        "Exact": { "type": "string", "maxLength": 1 },
        "Bound": { "type": "integer", "maximum": (1_u64 << 60) },
        "Pattern": {
            "type": "object", "patternProperties": { "^x": { "type": "string" } },
            "additionalProperties": false,
        },
        "List": { "type": "array", "items": { "$ref": "#/schemas/List" }, "maxItems": 1 },
        "Far": { "anyOf": [{ "$ref": "#/schemas/Bound" }] },
    })
}

fn manifest(schema: &Value) -> Manifest {
    let document = Document::read(EXAMPLE.as_bytes()).unwrap();
    let mut manifest = document.manifest().clone();
    manifest.schemas = serde_json::from_value(shared()).unwrap();
    manifest.endpoints.truncate(1);
    let endpoint = &mut manifest.endpoints[0];
    endpoint.input.query = None;
    endpoint.output.content_type = "application/json".to_owned();
    endpoint.output.stream = None;
    endpoint.output.schema = Some(schema.clone());
    endpoint.examples.clear();
    manifest
}

fn answer(mut document: Value) -> Value {
    let paths = document["paths"].as_object().unwrap();
    let operation = &paths.values().next().unwrap()["get"];
    let schema = operation["responses"]["200"]["content"]["application/json"]["schema"].clone();
    json!({ "allOf": [schema], "components": document["components"].take() })
}

/// A schema of OpenAPI 3.0 in the words of JSON Schema.
fn raised(value: Value) -> Value {
    match value {
        Value::Array(list) => list.into_iter().map(raised).collect(),
        Value::Object(members) => {
            let mut out: Map<String, Value> = members
                .into_iter()
                .map(|(name, value)| match name.as_str() {
                    "enum" | "example" | "default" | "required" => (name, value),
                    _ => (name, raised(value)),
                })
                .collect();
            for (flag, bound) in [
                ("exclusiveMinimum", "minimum"),
                ("exclusiveMaximum", "maximum"),
            ] {
                if out.get(flag) == Some(&json!(true)) {
                    let value = out.remove(bound).unwrap();
                    out.insert(flag.to_owned(), value);
                }
            }
            if out.get("nullable") != Some(&json!(true)) {
                return Value::Object(out);
            }
            out.remove("nullable");
            if let Some(kind) = out.get("type").cloned() {
                // All other rules hold for null as well.
                out.insert("type".to_owned(), json!([kind, "null"]));
                return Value::Object(out);
            }
            // Beside no type the flag is read as one more alternative.
            json!({ "anyOf": [out, { "type": "null" }] })
        }
        value => value,
    }
}

/// What the manifest says, and what each view says of it.
fn said(schema: &Value) -> (Value, Vec<(&'static str, Value)>) {
    let manifest = manifest(schema);
    let source = json!({ "allOf": [schema], "schemas": shared() });
    let block = views::bazaar(&manifest, &manifest.endpoints[0].id).unwrap();
    let example = &block["schema"]["properties"]["output"]["properties"]["example"];
    let definitions = block["schema"].get("$defs").cloned().unwrap_or(json!({}));
    let bazaar = json!({ "allOf": [example], "$defs": definitions });
    let views = vec![
        ("3.1", answer(views::openapi(&manifest))),
        ("3.0", raised(answer(views::openapi_30(&manifest)))),
        ("bazaar", bazaar),
    ];
    (source, views)
}

fn values() -> Vec<Value> {
    let scalars = [
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(1.0),
        json!(1.5),
        json!(1_u64 << 61),
        json!("a"),
        json!("long"),
    ];
    let mut all = scalars.to_vec();
    for value in scalars {
        all.push(json!([value]));
        all.push(json!([[], value]));
        all.push(json!({ "a": value }));
        all.push(json!({ "x1": value }));
        all.push(json!({ "a": value, "x1": "b", "c": {} }));
    }
    all.extend([json!([]), json!({}), json!([[[]]])]);
    all
}

/// What a view refuses and the manifest does not.
fn refused(schema: &Value) -> Vec<String> {
    let (source, views) = said(schema);
    let validator = |schema: &Value| {
        jsonschema::validator_for(schema).unwrap_or_else(|error| panic!("{error}: {schema}"))
    };
    let source = validator(&source);
    let good: Vec<Value> = values()
        .into_iter()
        .filter(|it| source.is_valid(it))
        .collect();
    let mut refused = Vec::new();
    for (name, view) in views {
        let reader = validator(&view);
        let bad = good.iter().filter(|value| !reader.is_valid(value));
        refused.extend(bad.map(|value| format!("{name}: {value} is refused by {view}")));
    }
    refused
}

#[test]
fn what_cannot_be_said_never_makes_a_schema_take_less() {
    let to = |name: &str| json!({ "$ref": format!("#/schemas/{name}") });
    let big = 1_u64 << 60;
    for schema in [
        json!({ "not": { "const": null } }),
        json!({ "not": { "const": "a" } }),
        json!({ "not": { "type": ["string", "null"], "const": "a" } }),
        json!({ "not": { "type": ["string", "null"], "enum": ["a", null] } }),
        json!({ "not": { "type": "integer", "maximum": big } }),
        json!({ "not": { "not": { "maximum": big } } }),
        json!({ "not": to("Exact") }),
        json!({ "not": to("Bound") }),
        json!({ "not": to("Far") }),
        json!({ "not": to("List") }),
        json!({ "not": to("Pattern") }),
        json!({ "not": { "prefixItems": [{ "type": "string" }] } }),
        json!({ "not": { "contains": { "const": 1 } } }),
        json!({ "not": { "if": { "type": "string" }, "then": { "const": "a" } } }),
        json!({ "not": { "oneOf": [{ "const": "a" }, { "const": "a" }] } }),
        json!({ "not": { "type": "string", "nullable": true } }),
        json!({ "type": "number", "exclusiveMinimum": 0, "minimum": 0 }),
        json!({ "oneOf": [to("Bound"), { "type": "integer", "minimum": 2 }] }),
        json!({ "oneOf": [{ "prefixItems": [{ "type": "string" }] }, { "type": "array" }] }),
        json!({ "oneOf": [{ "type": "string" }, { "type": "null" }] }),
        json!({ "oneOf": [{ "enum": ["a", null] }, { "type": "null" }] }),
        json!({ "oneOf": [{ "const": "a" }, { "const": "long" }] }),
        json!({ "anyOf": [{ "type": "string", "enum": ["a"] }, { "type": "null" }] }),
        json!({ "anyOf": [{ "type": "string", "not": { "const": null } }, { "type": "null" }] }),
        json!({ "not": { "not": { "const": null }, "oneOf": [{ "type": "string" }, { "type": "null" }] } }),
        json!({ "not": { "not": { "const": null }, "anyOf": [to("Exact"), { "type": "null" }] } }),
        json!({ "type": ["string", "null"], "enum": ["a", null] }),
        json!({ "type": ["integer", "string"], "enum": [1.0, "a"] }),
        json!({ "type": "object", "patternProperties": { "^x": { "type": "string" } }, "additionalProperties": false }),
        json!({ "patternProperties": { "^x": true }, "additionalProperties": { "type": "integer" } }),
        to("Pattern"),
        to("List"),
    ] {
        let refused = refused(&schema);
        assert!(refused.is_empty(), "{schema}: {refused:#?}");
    }
}

fn schema() -> impl Strategy<Value = Value> {
    let leaves = [
        json!(true),
        json!({ "type": "string" }),
        json!({ "type": ["string", "null"], "maxLength": 1 }),
        json!({ "type": ["integer", "null", "array", "object"], "required": ["a"], "minItems": 1 }),
        json!({ "type": "integer", "maximum": (1_u64 << 60) }),
        json!({ "exclusiveMinimum": 0, "minimum": 1 }),
        json!({ "type": "null" }),
        json!({ "const": null }),
        json!({ "const": "a" }),
        json!({ "enum": ["a", 1, null] }),
        json!({ "type": ["string", "integer"], "enum": ["a", 1, 1.5] }),
        json!({ "nullable": true, "type": "string" }),
        json!({ "$ref": "#/schemas/Exact" }),
        json!({ "$ref": "#/schemas/Bound" }),
        json!({ "$ref": "#/schemas/Pattern" }),
        json!({ "$ref": "#/schemas/List" }),
        json!({ "$ref": "#/schemas/Far" }),
    ];
    proptest::sample::select(leaves.to_vec()).prop_recursive(4, 24, 3, |inner| {
        let some = proptest::collection::vec(inner.clone(), 1..4);
        let two = (inner.clone(), inner.clone());
        let named = [
            "not", "items", "additionalProperties", "contains", "if", "propertyNames",
            "unevaluatedProperties",
        ];
        prop_oneof![
            (proptest::sample::select(vec!["oneOf", "anyOf", "allOf", "prefixItems"]), some)
                .prop_map(|(name, all)| json!({ name: all })),
            (proptest::sample::select(named.to_vec()), inner.clone())
                .prop_map(|(name, inner)| json!({ name: inner })),
            inner.clone().prop_map(|inner| json!({ "not": inner })),
            inner.prop_map(|inner| json!({ "$ref": "#/schemas/Exact", "not": inner })),
            two.clone().prop_map(|(one, other)| json!({ "not": one, "oneOf": [other, { "type": "null" }] })),
            two.clone().prop_map(|(one, other)| json!({ "type": ["object", "array", "null"], "properties": { "a": one }, "items": other })),
            two.clone().prop_map(|(one, other)| json!({ "patternProperties": { "^x": one }, "additionalProperties": other })),
            two.prop_map(|(one, other)| json!({ "type": ["object", "string"], "properties": { "a": one }, "required": ["a"], "additionalProperties": other, "enum": [{ "a": 1 }, "a", { "a": null }] })),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_schema_takes_less_in_any_view(schema in schema()) {
        let refused = refused(&schema);
        prop_assert!(refused.is_empty(), "{}: {:#?}", schema, refused);
    }
}
