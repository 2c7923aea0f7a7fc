//! All Rust clients in one program.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use x402_codegen::model::Output;
use x402_tests::tools;

use crate::golden::install::crate_manifest;
use crate::names::{self, Method};
use crate::plan::Case;

/// What all drivers share.
const DRIVE: &str = include_str!("../../peers/clients/drive.rs");

/// The features that the compile gate of the generator builds with, so that both build the same.
const MORE: &str = "tokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\", \"sync\"] }\n\n[workspace]\n";

/// Where the program is built.
pub(crate) fn home() -> PathBuf {
    tools::target().join("clients/rust")
}

/// Builds the program, and gives what starts it.
pub(crate) fn program(cases: &[Case]) -> Vec<PathBuf> {
    let home = home();
    write(&home, cases);
    tools::run(
        std::process::Command::new(env!("CARGO"))
            .args(["build", "--offline", "--quiet", "--manifest-path"])
            .arg(home.join("Cargo.toml"))
            .env("CARGO_TARGET_DIR", tools::target()),
        "cargo",
    );
    let built = format!("debug/golden-clients{}", std::env::consts::EXE_SUFFIX);
    vec![tools::target().join(built)]
}

fn write(home: &Path, cases: &[Case]) {
    let mut main = String::from(
        "//! Every golden client and its driver.\n#![allow(deprecated)]\n\nmod drive;\n",
    );
    let mut calls = String::new();
    fs::create_dir_all(home.join("src")).expect("a folder in target/");
    for case in cases {
        let (name, text) = (&case.name, x402_codegen::rust::render(&case.model));
        fs::write(home.join(format!("src/{name}.rs")), &text).expect("a file in target/");
        let driver = driver(case, &names::rust(&text));
        fs::write(home.join(format!("src/drive_{name}.rs")), driver).expect("a file in target/");
        writeln!(main, "mod {name};\nmod drive_{name};").expect("a string");
        writeln!(
            calls,
            "            Some({name:?}) => Box::pin(drive_{name}::drive(case)).await,"
        )
        .expect("a string");
    }
    write!(
        main,
        "\n#[tokio::main]\nasync fn main() {{\n    let plan = std::env::var(\"PEER_PLAN\").expect(\"a plan\");\n    \
         let plan = std::fs::read_to_string(plan).expect(\"a plan\");\n    \
         let plan: Vec<serde_json::Value> = serde_json::from_str(&plan).expect(\"a plan\");\n    \
         for case in &plan {{\n        match case[\"name\"].as_str() {{\n{calls}            \
         _ => panic!(\"an unknown case\"),\n        }}\n    }}\n}}\n"
    )
    .expect("a string");
    fs::write(home.join("src/main.rs"), main).expect("a file in target/");
    fs::write(home.join("src/drive.rs"), DRIVE).expect("a file in target/");
    let manifest = crate_manifest("golden-clients", MORE);
    fs::write(home.join("Cargo.toml"), manifest).expect("a file in target/");
    // The versions that the workspace is built with are there already.
    fs::copy(
        tools::workspace().join("Cargo.lock"),
        home.join("Cargo.lock"),
    )
    .expect("a copy in target/");
}

/// A function that makes the planned calls of one case.
fn driver(case: &Case, methods: &[Method]) -> String {
    let endpoints = &case.model.endpoints;
    assert_eq!(methods.len(), endpoints.len(), "{}: {methods:?}", case.name);
    let mut arms = String::new();
    for (number, (method, endpoint)) in methods.iter().zip(endpoints).enumerate() {
        let name = &method.name;
        let (bind, argument) = match &method.request {
            Some((ty, members)) => {
                let required = endpoint.params.iter().map(|param| param.field.required);
                let required = required.chain(endpoint.body.iter().map(|body| body.required));
                let required: Vec<bool> = required.collect();
                assert_eq!(members.len(), required.len(), "{}: {method:?}", case.name);
                let parts = members.iter().zip(required).enumerate();
                let parts = parts.map(|(at, (member, required))| {
                    let read = if required { "needed" } else { "given" };
                    format!("{member}: drive::{read}(call, {at})")
                });
                let parts: Vec<String> = parts.collect();
                let bind = format!("let request = g::{ty} {{ {} }};", parts.join(", "));
                (bind, "&request")
            }
            None if method.takes.is_empty() => (String::new(), ""),
            None if method.takes == "body: &str" => (
                "let body: String = drive::needed(call, 0);".to_owned(),
                "&body",
            ),
            None if method.takes.starts_with("body: &[") => (
                "let body: Vec<_> = drive::needed(call, 0);".to_owned(),
                "&body",
            ),
            None if method.takes == "body: &Parts" => {
                ("let body = drive::parts!(g, call);".to_owned(), "&body")
            }
            None => (String::new(), "&drive::needed(call, 0)"),
        };
        let make = format!("drive::headed!(call, client.{name}({argument}))");
        let make = match &method.pages {
            Some(pages) => format!(
                "match call[\"cap\"].as_str() {{ Some(cap) => drive::paged!(g, case, call, {make}, client.{pages}(request.clone(), cap)), \
                 None => drive::made!(g, client, case, call, {make}) }}"
            ),
            None if matches!(endpoint.output, Output::Stream { .. }) => {
                format!("drive::streamed!(g, client, case, call, {make})")
            }
            None => format!("drive::made!(g, client, case, call, {make})"),
        };
        writeln!(arms, "            Some({number}) => {{ {bind} {make} }}").expect("a string");
    }
    format!(
        "//! Calls of one case.\n#![allow(deprecated, unused_imports, clippy::all)]\n\nuse crate::{{drive, {} as g}};\n\n\
         pub(crate) async fn drive(case: &serde_json::Value) {{\n    let client = drive::client!(g, case);\n    \
         for call in drive::calls(case) {{\n        match call[\"endpoint\"].as_u64() {{\n{arms}            \
         _ => panic!(\"an unknown endpoint\"),\n        }}\n    }}\n}}\n",
        case.name
    )
}
