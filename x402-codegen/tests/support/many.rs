//! Documents of any length, and how long a compiler takes for their clients.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    dead_code,
    reason = "shared by a benchmark and a test that each use a part, and may stop at what is not as expected"
)]

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::install::crate_manifest;
use super::tools::{alone_in, run, target, workspace};

/// A manifest with so many endpoints, each with a body and an answer of its own.
pub(crate) fn manifest(endpoints: usize) -> Vec<u8> {
    let text = include_bytes!("../golden/example/manifest.json");
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

/// How long `cargo check` takes for the Rust client of so many endpoints, once what it stands on is compiled.
pub(crate) fn check(endpoints: usize) -> Duration {
    let home = target().join("codegen/many");
    let mut took = Duration::ZERO;
    alone_in(&home, || {
        fs::create_dir_all(home.join("src")).expect("a folder in target/");
        let crate_manifest = crate_manifest("codegen-many", "\n[workspace]\n");
        fs::write(home.join("Cargo.toml"), crate_manifest).expect("a file in target/");
        fs::copy(workspace().join("Cargo.lock"), home.join("Cargo.lock"))
            .expect("a copy in target/");
        let model = x402_codegen::read(&manifest(endpoints)).expect("a manifest");
        let client = x402_codegen::rust::render(&model);
        for text in ["//! Nothing.\n", &client] {
            fs::write(home.join("src/lib.rs"), text).expect("a file in target/");
            let began = Instant::now();
            run(
                Command::new(env!("CARGO"))
                    .args(["check", "--offline", "--quiet", "--manifest-path"])
                    .arg(home.join("Cargo.toml"))
                    .env("CARGO_TARGET_DIR", target()),
                "cargo",
            );
            took = began.elapsed();
        }
    });
    took
}
