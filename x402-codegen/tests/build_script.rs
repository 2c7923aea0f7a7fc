//! A build script writes a client that its crate includes, runs again when the document changes, and fails in one readable line.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first thing that is not as expected"
)]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use support::install::crate_manifest;
use support::tools::{alone_in, target, workspace};

fn cargo(home: &Path) -> Output {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["run", "--offline", "--quiet", "--manifest-path"]);
    cargo
        .arg(home.join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", target());
    cargo.output().expect("cargo runs")
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_build_script_keeps_a_client_up_to_date() {
    let home = target().join("codegen/build-script");
    alone_in(&home, || {
        fs::create_dir_all(home.join("src")).expect("a folder in target/");
        let codegen = workspace().join("x402-codegen");
        let more = format!(
            "\n[build-dependencies]\nx402-codegen = {{ path = {codegen:?} }}\n\n[workspace]\n"
        );
        let manifest = crate_manifest("codegen-build-script", &more);
        let document = home.join("service.json");
        let text = String::from_utf8(support::manifest("example")).expect("a document");
        for (path, text) in [
            ("Cargo.toml", manifest.as_str()),
            ("build.rs", include_str!("gate/build/build.rs")),
            ("src/main.rs", include_str!("gate/build/main.rs")),
            ("service.json", text.as_str()),
        ] {
            fs::write(home.join(path), text).expect("a file in target/");
        }
        fs::copy(workspace().join("Cargo.lock"), home.join("Cargo.lock")).expect("a copy");

        let (out, err) = said(&cargo(&home));
        assert_eq!(out.trim(), "Some(\"0.001 USD\")", "{err}");
        assert_eq!(err, "", "no warnings");

        let mut dearer: Value = serde_json::from_str(&text).expect("JSON");
        let price = dearer.pointer_mut("/endpoints/0/price").expect("a price");
        *price = json!({ "model": "flat", "amount": "0.003", "bounds": { "min": "0.003", "max": "0.003" } });
        let dearer = dearer.to_string();
        fs::write(&document, dearer).expect("a file in target/");
        let (out, err) = said(&cargo(&home));
        assert_eq!(out.trim(), "Some(\"0.003 USD\")", "{err}");

        fs::write(&document, "{ \"openapi\": \"3.1.0\" }").expect("a file in target/");
        let output = cargo(&home);
        let (_, err) = said(&output);
        assert!(!output.status.success());
        assert!(
            err.contains("Error: service.json: /paths: there are no paths"),
            "{err}"
        );
        assert!(!err.contains("panicked"), "{err}");
    });
}
