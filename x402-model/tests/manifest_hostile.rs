//! Manifests that are made to cost whoever reads them: a few bytes that ask for very much.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first thing that is not as expected"
)]

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use x402_model::manifest::views;
use x402_model::manifest::{BodyEntry, MAX_BYTES, MAX_DEPTH, Manifest, read_json};

const EXAMPLE: &str = include_str!("manifest/manifest.json");

/// The example with other shared schemas, and one endpoint that takes and gives a schema and has no examples.
fn manifest(schemas: Value, schema: &Value) -> Manifest {
    let mut manifest: Manifest = serde_json::from_str(EXAMPLE).unwrap();
    manifest.schemas = serde_json::from_value(schemas).unwrap();
    let mut endpoint = manifest.endpoints.remove(1);
    endpoint.input.path = None;
    endpoint.input.query = None;
    endpoint.input.header = None;
    endpoint.input.body = Some(BodyEntry {
        content_type: "application/json".to_owned(),
        max_bytes: None,
        schema: Some(schema.clone()),
    });
    endpoint.output.schema = Some(schema.clone());
    endpoint.examples.clear();
    endpoint.method = Some("POST".to_owned());
    endpoint.path = Some("/v1/summaries".to_owned());
    manifest.endpoints = vec![endpoint];
    manifest
}

/// Fails unless all views of a manifest are made in good time, each at most so many bytes long.
fn assert_bounded(manifest: &Manifest, most: usize) {
    let start = Instant::now();
    for view in views::all(manifest) {
        let bytes = view.bytes.len();
        assert!(bytes <= most, "{} has {bytes} bytes", view.path);
    }
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn m07_nested_lists_of_types_do_not_multiply() {
    let kinds = json!([
        "array", "object", "string", "integer", "number", "boolean", "null", "array", "array"
    ]);
    // The first depth fails where they multiply; with the second nobody would live to see it.
    for depth in [6, 50] {
        for keyword in ["items", "not", "additionalProperties", "contains", "if"] {
            let mut schema = json!({ "type": "string" });
            for _ in 0..depth {
                schema = json!({ "type": kinds, keyword: schema });
            }
            let manifest = manifest(json!({}), &schema);
            assert_bounded(&manifest, 200_000);
        }
    }
}

#[test]
fn m07_an_example_of_schemas_that_refer_to_themselves_is_short() {
    let of = |width: usize, next: Value| {
        let names: Vec<String> = (0..width).map(|number| format!("m{number}")).collect();
        let members: serde_json::Map<String, Value> = names
            .iter()
            .map(|name| (name.clone(), next.clone()))
            .collect();
        let schema = json!({ "type": "object", "properties": members, "required": names });
        manifest(json!({ "S": schema }), &json!({ "$ref": "#/schemas/S" }))
    };
    let again = json!({ "$ref": "#/schemas/S" });
    let many = json!({ "type": "array", "minItems": 8, "items": again });
    let all = json!({ "allOf": [again] });
    for (width, next) in [(30, &again), (40, &many), (500, &all)] {
        assert_bounded(&of(width, next.clone()), 400_000);
    }
}

#[test]
fn m07_an_example_that_a_schema_states_is_not_copied_without_end() {
    let long = json!({ "type": "string", "default": "x".repeat(10_000) });
    let names: Vec<String> = (0..500).map(|number| format!("m{number}")).collect();
    let members: serde_json::Map<String, Value> = names
        .iter()
        .map(|name| (name.clone(), json!({ "$ref": "#/schemas/Long" })))
        .collect();
    let schema = json!({ "type": "object", "properties": members, "required": names });
    assert_bounded(&manifest(json!({ "Long": long }), &schema), 500_000);
}

#[test]
fn m07_long_chains_of_definitions_are_gathered_in_good_time() {
    let count = 6000;
    let next = |number: usize| json!({ "$ref": format!("#/$defs/a{number}") });
    let mut definitions: serde_json::Map<String, Value> = (0..count)
        .map(|number| (format!("a{number}"), next(number + 1)))
        .collect();
    definitions.insert(format!("a{count}"), json!({ "type": "string" }));
    let schema = json!({ "$ref": "#/$defs/a0", "$defs": definitions });
    assert_bounded(&manifest(json!({}), &schema), 2_000_000);
}

#[test]
fn m07_documents_of_the_longest_size_are_read_in_good_time() {
    let filled = |open: &str, one: &dyn Fn(usize) -> String, close: &str| {
        let mut text = open.to_owned();
        let mut number = 0;
        while text.len() + close.len() + 40 < MAX_BYTES {
            text.push_str(&one(number));
            number += 1;
        }
        text.trim_end_matches(',').to_owned() + close
    };
    let deep = (r#"{"a":"#.repeat(MAX_DEPTH - 1), "}".repeat(MAX_DEPTH - 1));
    for (name, text) in [
        ("members", filled("{", &|n| format!(r#""{n:x}":1,"#), "}")),
        ("one name", filled("{", &|_| r#""a":1,"#.to_owned(), "}")),
        ("items", filled("[", &|_| "0,".to_owned(), "]")),
        ("objects", filled("[", &|_| "{},".to_owned(), "]")),
        ("escapes", filled("[", &|_| r#""\u0061","#.to_owned(), "]")),
        (
            "members far inside",
            filled(
                &format!("{}{{", deep.0),
                &|n| format!(r#""{n:x}":1,"#),
                &format!("}}{}", deep.1),
            ),
        ),
        (
            "one text far inside",
            filled(
                &format!("{}\"", deep.0),
                &|_| r"\\".to_owned(),
                &format!("\"{}", deep.1),
            ),
        ),
    ] {
        let start = Instant::now();
        let read = read_json(text.as_bytes(), MAX_BYTES);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(10), "{name}: {took:?}");
        assert_eq!(read.is_ok(), name != "one name", "{name}");
    }
}
