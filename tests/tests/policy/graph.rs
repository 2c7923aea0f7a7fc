//! The crate graph: the dependency table of the architecture and the size of what users build.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::OnceLock;

use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand, Package};

use crate::{assert_none, root};

/// Which of our crates each of our crates may use. Packages that are not published may use all.
const MAY_USE: &[(&str, &[&str])] = &[
    ("x402-model", &[]),
    ("x402-macros", &["x402-model"]),
    ("x402-runtime", &["x402-model", "x402-macros"]),
    ("x402-client", &["x402-model"]),
    ("x402-codegen", &["x402-model"]),
    ("x402-cli", &["x402-client", "x402-codegen", "x402-runtime"]),
];

/// A gated server must stay below this many crates.
const SERVER_CRATES: usize = 200;

/// The whole resolved graph, with every feature of every member.
pub(crate) fn metadata() -> &'static Metadata {
    static METADATA: OnceLock<Metadata> = OnceLock::new();
    METADATA.get_or_init(|| {
        MetadataCommand::new()
            .manifest_path(root().join("Cargo.toml"))
            .features(CargoOpt::AllFeatures)
            .exec()
            .expect("cargo metadata answers")
    })
}

/// The members of the workspace.
pub(crate) fn members() -> Vec<&'static Package> {
    metadata().workspace_packages()
}

/// `name vVersion` of all crates that building `package` takes, itself included.
fn build_list(package: &str, more: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--package",
            package,
            "--edges",
            "normal",
            "--prefix",
            "none",
        ])
        .args(["--format", "{p}", "--no-dedupe"])
        .args(more)
        .current_dir(root())
        .output()
        .expect("cargo tree runs");
    assert!(
        output.status.success(),
        "cargo tree: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .expect("cargo tree prints text")
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some(format!("{} {}", words.next()?, words.next()?))
        })
        .collect()
}

#[test]
fn crates_use_only_what_the_architecture_allows() {
    let ours: BTreeSet<&str> = members().iter().map(|m| m.name.as_str()).collect();
    let mut offenders = Vec::new();
    for member in members() {
        if member.publish.as_ref().is_some_and(Vec::is_empty) {
            continue;
        }
        let Some((_, allowed)) = MAY_USE
            .iter()
            .find(|(name, _)| *name == member.name.as_str())
        else {
            offenders.push(format!("{} has no row in the table", member.name));
            continue;
        };
        for dependency in &member.dependencies {
            let name = dependency.name.as_str();
            if dependency.kind != DependencyKind::Development
                && ours.contains(name)
                && !allowed.contains(&name)
            {
                offenders.push(format!("{} -> {name}", member.name));
            }
        }
    }
    assert_none("a crate uses one that it must not know", &offenders);
}

#[test]
fn a_gated_server_stays_small() {
    let crates = build_list("x402-runtime", &[]);
    eprintln!(
        "x402-runtime with default features: {} crates",
        crates.len()
    );
    assert!(
        crates.len() < SERVER_CRATES,
        "{} crates: {crates:#?}",
        crates.len()
    );
    let chain = [
        "revm ",
        "alloy-provider ",
        "alloy-consensus ",
        "alloy-rpc-client ",
    ];
    let offenders: Vec<String> = crates
        .iter()
        .filter(|c| chain.iter().any(|name| c.starts_with(name)))
        .cloned()
        .collect();
    assert_none("the chain is opt-in", &offenders);
}

#[test]
fn the_client_core_has_no_transport() {
    let crates = build_list("x402-client", &["--no-default-features"]);
    let transport = ["reqwest ", "hyper ", "tokio ", "axum ", "tower "];
    let offenders: Vec<String> = crates
        .iter()
        .filter(|c| transport.iter().any(|name| c.starts_with(name)))
        .cloned()
        .collect();
    assert_none(
        "x402-client without features brings a transport along",
        &offenders,
    );
}

#[test]
fn the_model_does_no_io() {
    let crates = build_list("x402-model", &["--all-features"]);
    let io = [
        "tokio ",
        "axum ",
        "hyper ",
        "reqwest ",
        "rusqlite ",
        "mio ",
        "socket2 ",
    ];
    let offenders: Vec<String> = crates
        .iter()
        .filter(|c| io.iter().any(|name| c.starts_with(name)))
        .cloned()
        .collect();
    assert_none("x402-model must stay free of IO", &offenders);
}

/// Whether a package stands in a folder of the repository.
pub(crate) fn is_inside(member: &Package, folder: &str) -> bool {
    let path = member.manifest_path.as_std_path();
    path.starts_with(root().join(folder))
}
