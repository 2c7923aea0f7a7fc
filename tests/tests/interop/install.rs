//! Fetches other people's packages, once, into the target folder, and says so.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use x402_tests::tools::{self, Python, alone_in, run, say};

/// Where the peers' scripts can be started from.
#[derive(Debug)]
pub(crate) struct Tools {
    /// The folder with the scripts for Node and the packages they import.
    pub(crate) js: PathBuf,
    /// The folder with the scripts for Python.
    pub(crate) py: PathBuf,
    /// Python with the packages that they import.
    pub(crate) python: Python,
    /// The program made of other people's crates.
    pub(crate) rust: PathBuf,
}

impl Tools {
    /// Fetches and builds what is not there yet, everything at once.
    pub(crate) fn fetch() -> Self {
        std::thread::scope(|scope| {
            let js = scope.spawn(packages_of_npm);
            let python = scope.spawn(tools::packages_of_pip);
            Self {
                rust: crates(),
                js: js.join().expect("npm fetches its packages"),
                py: peers("py"),
                python: python.join().expect("pip fetches its packages"),
            }
        })
    }
}

/// The folder of the peers in one language.
fn peers(language: &str) -> PathBuf {
    tools::workspace().join("tests/peers").join(language)
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The folder with the scripts for Node and the packages they import; fetches what is not there yet.
pub(crate) fn packages_of_npm() -> PathBuf {
    tools::npm_packages(&peers("js"), "peers")
}

fn crates() -> PathBuf {
    let home = tools::target().join("peers");
    alone_in(&home, || {
        let program = home.join(format!("debug/peer{}", std::env::consts::EXE_SUFFIX));
        if !program.is_file() {
            say(&format!(
                "building the peers' crates with cargo into {}",
                home.display()
            ));
        }
        run(
            Command::new(env!("CARGO"))
                .args(["build", "--locked", "--quiet", "--manifest-path"])
                .arg(peers("rust").join("Cargo.toml"))
                .env("CARGO_TARGET_DIR", &home),
            "the x402 crates of others: cargo",
        );
        program
    })
}

#[test]
fn the_page_names_the_versions_that_are_installed() {
    let page = text(&tools::workspace().join("docs/interop.md"));
    let packages: serde_json::Value =
        serde_json::from_str(&text(&peers("js").join("package.json"))).expect("JSON");
    let crates: toml::Table =
        toml::from_str(&text(&peers("rust").join("Cargo.toml"))).expect("TOML");
    let pip = text(&peers("py").join("requirements.txt"));
    let legacy = text(&peers("py").join("requirements-legacy.txt"));
    let mut wanted: Vec<(String, String)> = [pip, legacy]
        .iter()
        .flat_map(|list| list.lines())
        .filter_map(|line| line.strip_prefix("x402=="))
        .map(|version| ("x402".to_owned(), version.to_owned()))
        .collect();
    let named = [
        "@x402/axios",
        "@x402/core",
        "@x402/express",
        "@x402/fetch",
        "x402-express",
        "x402-fetch",
    ];
    wanted.extend(named.map(|name| {
        let version = packages["dependencies"][name].as_str().expect("a version");
        (name.to_owned(), version.to_owned())
    }));
    let dependencies = crates["dependencies"].as_table().expect("a table");
    wanted.extend(["x402-axum", "x402-reqwest"].map(|name| {
        let version = dependencies[name]
            .get("version")
            .unwrap_or(&dependencies[name]);
        let version = version.as_str().expect("a version").trim_start_matches('=');
        (name.to_owned(), version.to_owned())
    }));
    assert_eq!(wanted.len(), 10);
    for (name, version) in wanted {
        assert!(
            page.lines().any(|line| {
                line.starts_with(&format!("| `{name}`")) && line.contains(&format!("| {version} |"))
            }),
            "docs/interop.md does not say that {name} is {version}"
        );
    }
}
