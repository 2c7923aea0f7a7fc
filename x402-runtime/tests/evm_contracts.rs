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

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn run(command: &mut Command) {
    let shown = format!("{command:?}");
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{shown}: {error}; Node.js 20 or newer is needed"));
    assert!(
        output.status.success(),
        "{shown}:\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Installs the compiler unless exactly this lock file was installed before.
fn install() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let folder = target.join("npm").join("contracts");
    let lock = std::fs::read(root().join("contracts/package-lock.json")).unwrap();
    let stamp = folder.join("installed-lock.json");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return folder;
    }
    println!("installing solc (npm ci) into {}", folder.display());
    std::fs::create_dir_all(&folder).unwrap();
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(root().join("contracts").join(file), folder.join(file)).unwrap();
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    run(Command::new(npm)
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(&folder));
    std::fs::write(&stamp, lock).unwrap();
    folder
}

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
    let modules = install();
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
