//! The committed bytecode is what the committed Solidity compiles to.
//!
//! Installs the pinned `solc` from npm into `target/npm/contracts`, compiles `contracts/src`, and compares.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests may fail loudly"
)]

#[path = "evm_support/npm.rs"]
mod npm;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use npm::{install, root, run};

fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let json = entries.filter(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    json.map(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap())
    })
    .collect()
}

#[test]
fn the_committed_bytecode_is_what_the_source_compiles_to() {
    let modules = install("contracts");
    let out = tempfile::tempdir().unwrap();
    let script = root().join("contracts/build.mjs");
    run(Command::new("node")
        .arg(script)
        .arg("--out")
        .arg(out.path())
        .arg("--modules")
        .arg(&modules));

    let (built, committed) = (
        files(out.path()),
        files(&root().join("contracts/artifacts")),
    );
    assert!(built.contains_key("TestUsd.json"));
    assert_eq!(
        built.keys().collect::<Vec<_>>(),
        committed.keys().collect::<Vec<_>>(),
        "run `node contracts/build.mjs` and commit what it writes"
    );
    for (name, text) in &built {
        assert!(
            committed[name] == *text,
            "{name} differs: run `node contracts/build.mjs` and commit what it writes"
        );
    }
    let copies = std::fs::read_dir(out.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "hex"));
    let mut compared = 0;
    for fresh in copies {
        let name = fresh.file_name().unwrap().to_owned();
        let copy = root().join("x402-runtime/src/sandbox").join(&name);
        assert!(
            std::fs::read_to_string(copy).unwrap() == std::fs::read_to_string(&fresh).unwrap(),
            "the sandbox's copy {name:?} differs: run `node contracts/build.mjs`"
        );
        compared += 1;
    }
    assert_eq!(compared, 5);
}
