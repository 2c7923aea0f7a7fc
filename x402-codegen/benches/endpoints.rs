//! How long three clients of a large manifest take, and whether twice the endpoints take twice as long.
//!
//! `cargo bench -p x402-codegen`. The bound of a second is for a thousand endpoints, read, lowered and written in three languages.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    reason = "a benchmark tells what it measured, with ratios"
)]

use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A manifest with so many endpoints, each with a body and an answer of its own.
fn manifest(endpoints: usize) -> Vec<u8> {
    let text = include_bytes!("../tests/golden/example/manifest.json");
    let mut document: Value = serde_json::from_slice(text).unwrap();
    let templates = document["endpoints"].as_array().unwrap().clone();
    let mut all = Vec::with_capacity(endpoints);
    for number in 0..endpoints {
        let mut endpoint = templates[number % templates.len()].clone();
        endpoint["id"] = json!(format!("endpoint{number}"));
        endpoint["deprecation"] = Value::Null;
        endpoint.as_object_mut().unwrap().remove("deprecation");
        let name = format!("Answer{number}");
        endpoint["output"]["schema"] = json!({ "$ref": format!("#/schemas/{name}") });
        document["schemas"][name] = json!({
            "type": "object", "description": "What comes back.", "required": ["id", "items"],
            "properties": {
                "id": { "type": "string" }, "level": { "type": "string", "enum": ["low", "middle", "high"] },
                "items": { "type": "array", "items": { "type": "object", "properties": {
                    "name": { "type": "string" }, "count": { "type": "integer", "minimum": 0 } } } },
                "before": { "anyOf": [{ "$ref": format!("#/schemas/Answer{}", number / 2) }, { "type": "null" }] },
            },
        });
        all.push(endpoint);
    }
    document["endpoints"] = Value::Array(all);
    serde_json::to_vec(&document).unwrap()
}

fn generate(manifest: &[u8]) -> usize {
    let model = x402_codegen::read(manifest).unwrap();
    x402_codegen::rust::render(&model).len()
        + x402_codegen::typescript::render(&model).len()
        + x402_codegen::python::render(&model).len()
}

/// The best of a few runs: others use the machine, too.
fn time(endpoints: usize) -> Duration {
    let manifest = manifest(endpoints);
    let runs = (0..5).map(|_| {
        let began = Instant::now();
        assert!(generate(&manifest) > 0);
        began.elapsed()
    });
    runs.min().unwrap()
}

fn main() {
    let mut last = time(250);
    println!("{:>6} endpoints: {last:?}", 250);
    for endpoints in [500, 1000, 2000, 4000] {
        let took = time(endpoints);
        let ratio = took.as_secs_f64() / last.as_secs_f64();
        println!("{endpoints:>6} endpoints: {took:?}, {ratio:.2} times as long as half of them");
        assert!(
            endpoints != 1000 || took < Duration::from_secs(1),
            "a thousand endpoints take {took:?}"
        );
        assert!(
            ratio < 3.0,
            "twice the endpoints take {ratio:.2} times as long"
        );
        last = took;
    }
}
