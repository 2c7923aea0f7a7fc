//! Every member inherits what the workspace decides once.

use crate::{assert_none, graph};

#[test]
fn members_inherit_from_the_workspace() {
    let mut offenders = Vec::new();
    for member in graph::members() {
        // What the generator writes is made to stand alone.
        if graph::is_inside(member, "clients") {
            continue;
        }
        let text = std::fs::read_to_string(&member.manifest_path).expect("a member's manifest");
        let manifest: toml::Table = toml::from_str(&text).expect("a member's manifest parses");
        for key in ["version", "edition", "rust-version", "license"] {
            if !inherits(manifest.get("package").and_then(|p| p.get(key))) {
                offenders.push(format!("{}: package.{key}", member.name));
            }
        }
        if !inherits(manifest.get("lints")) {
            offenders.push(format!("{}: lints", member.name));
        }
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(table) = manifest.get(section).and_then(toml::Value::as_table) else {
                continue;
            };
            for (name, value) in table {
                if !inherits(Some(value)) {
                    offenders.push(format!("{}: {section}.{name}", member.name));
                }
            }
        }
    }
    assert_none(
        "a member decides for itself what the workspace decides",
        &offenders,
    );
}

fn inherits(value: Option<&toml::Value>) -> bool {
    value
        .and_then(|v| v.get("workspace"))
        .and_then(toml::Value::as_bool)
        == Some(true)
}

#[test]
fn clients_examples_and_tests_are_not_published() {
    let offenders: Vec<String> = graph::members()
        .into_iter()
        .filter(|member| {
            let here = ["clients", "examples", "tests"];
            here.iter().any(|folder| graph::is_inside(member, folder))
                && !member.publish.as_ref().is_some_and(Vec::is_empty)
        })
        .map(|member| member.name.to_string())
        .collect();
    assert_none(
        "a package that is only for this repository may be published",
        &offenders,
    );
}

#[test]
fn the_macro_and_the_runtime_are_locked_together() {
    let runtime = graph::members()
        .into_iter()
        .find(|m| m.name.as_str() == "x402-runtime")
        .expect("x402-runtime");
    let macros = runtime
        .dependencies
        .iter()
        .find(|d| d.name == "x402-macros")
        .expect("x402-macros");
    assert_eq!(macros.req.to_string(), format!("={}", runtime.version));
}
