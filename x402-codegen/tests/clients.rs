//! The clients of the marketplace example in `clients/` are what the generator makes of the manifest beside them, to the byte.
//!
//! `BLESS=1` rewrites them. This test stands here, and not with the example, because it must run when a committed client no longer
//! compiles.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first thing that is not as expected"
)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use support::tools::workspace;
use x402_codegen::{ClientModel, CodegenError, SourceFile};

/// The name of the packages.
const NAME: &str = "marketplace-client";

/// What tools make beside the generated files.
const OTHERS: &[&str] = &[
    "rustfmt.toml",
    "target",
    "node_modules",
    "dist",
    "package-lock.json",
    "__pycache__",
];

type Package = fn(&ClientModel, &str) -> Result<Vec<SourceFile>, CodegenError>;

const LANGUAGES: &[(&str, Package)] = &[
    ("rust", x402_codegen::rust::package),
    ("typescript", x402_codegen::typescript::package),
    ("python", x402_codegen::python::package),
];

/// Every file below a folder, by its path with `/`.
fn files(folder: &Path, below: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{below}{name}");
        if OTHERS.contains(&name.as_str()) {
            continue;
        }
        if entry.path().is_dir() {
            files(&entry.path(), &format!("{path}/"), found);
        } else {
            found.insert(path);
        }
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder in clients/");
    fs::write(path, text).expect("a file in clients/");
}

/// Every file of every client as the generator makes it, with its path below `clients/`.
fn generated() -> Vec<(String, String)> {
    let manifest = workspace().join("clients/marketplace.manifest.json");
    let manifest = fs::read(manifest).expect("the manifest");
    let model = x402_codegen::read(&manifest).expect("a manifest");
    let files = LANGUAGES.iter().flat_map(|(language, package)| {
        let files = package(&model, NAME).expect("a package").into_iter();
        files.map(move |file| (format!("{language}/{}", file.path), file.text))
    });
    files.collect()
}

#[test]
fn the_clients_of_the_marketplace_are_as_generated() {
    let clients = workspace().join("clients");
    let bless = std::env::var_os("BLESS").is_some();
    let (mut strays, mut differ) = (BTreeSet::new(), Vec::new());
    for (language, _) in LANGUAGES {
        files(
            &clients.join(language),
            &format!("{language}/"),
            &mut strays,
        );
    }
    for (path, text) in generated() {
        strays.remove(&path);
        let file = clients.join(&path);
        if bless {
            write(&file, &text);
        } else if fs::read_to_string(&file).ok().as_ref() != Some(&text) {
            differ.push(path);
        }
    }
    differ.extend(strays.iter().map(|path| format!("{path} (not generated)")));
    assert!(
        differ.is_empty(),
        "clients/: {differ:?} differ; `BLESS=1 cargo test -p x402-codegen --test clients` writes them"
    );
}

#[test]
fn none_of_the_clients_can_be_published_by_mistake() {
    let files = generated();
    // No index takes a Python package with a classifier that begins like this.
    for (file, mark) in [
        ("rust/Cargo.toml", "\npublish = false\n"),
        ("typescript/package.json", "\"private\": true"),
        ("python/pyproject.toml", "\"Private :: Do Not Upload\""),
    ] {
        let (_, text) = files.iter().find(|(path, _)| path == file).expect(file);
        assert!(text.contains(mark), "{file}");
    }
}
