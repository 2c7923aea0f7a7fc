//! Installs what generated code stands on, once, into the target folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::tools::{once, run, workspace};

/// What must be on the machine for TypeScript.
pub(crate) const NODE: &str = "Node.js 20 or newer";

/// What must be on the machine for Python.
pub(crate) const PYTHON: &str = "Python 3.11 or newer with venv";

fn gate() -> PathBuf {
    workspace().join("x402-codegen/tests/gate")
}

/// Installs TypeScript and the x402 packages for it into a folder.
pub(crate) fn npm(home: &Path) {
    let gate = gate().join("npm");
    let mut list = String::new();
    for file in ["package.json", "package-lock.json", "tsconfig.json"] {
        list += &fs::read_to_string(gate.join(file)).expect("a list of packages");
        fs::copy(gate.join(file), home.join(file)).expect("a copy in target/");
    }
    once(
        home,
        &list,
        "TypeScript and the x402 packages with npm",
        || {
            let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
            run(
                Command::new(npm)
                    .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
                    .current_dir(home),
                "the packages that generated TypeScript stands on, which npm fetches: Node.js 20 or newer",
            );
        },
    );
}

/// Installs mypy and the x402 packages for Python into a folder, and gives the Python that has them.
pub(crate) fn pip(home: &Path) -> PathBuf {
    let list = gate().join("pip/requirements.txt");
    let text = fs::read_to_string(&list).expect("a list of packages");
    let python = home.join("venv/bin/python");
    once(home, &text, "mypy and the x402 packages with pip", || {
        let mut venv = Command::new("python3");
        run(
            venv.args(["-m", "venv", "--clear"]).arg(home.join("venv")),
            PYTHON,
        );
        run(
            Command::new(&python)
                .args(["-m", "pip", "install", "--disable-pip-version-check"])
                .args(["--no-deps", "--only-binary", ":all:", "--requirement"])
                .arg(&list),
            "the packages that generated Python stands on, which pip fetches: Python 3.11 or newer with venv",
        );
    });
    python
}

/// The manifest of a crate with generated clients, with what else stands in it after the dependencies that every client has.
pub(crate) fn crate_manifest(name: &str, more: &str) -> String {
    let path = |name: &str| format!("{:?}", workspace().join(name));
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
         [features]\ndefault = [\"blocking\"]\nblocking = [\"x402-client/blocking\"]\n\n\
         [dependencies]\nbytes = \"1\"\nhttp = \"1\"\nserde = {{ version = \"1\", features = [\"derive\"] }}\n\
         serde_json = \"1\"\nx402-client = {{ path = {} }}\nx402-model = {{ path = {} }}\n{more}",
        path("x402-client"),
        path("x402-model"),
    )
}
