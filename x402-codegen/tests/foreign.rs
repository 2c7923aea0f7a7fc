//! Descriptions that other people publish become clients that compile in all three languages, and whose calls are as they say.
//!
//! They come out of packages, through npm and pip, in the versions that `gate/foreign` names. Prints how long each tool takes.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may stop at the first thing that is not as expected, and says what it measured"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use support::install::{PYTHON, crate_manifest, npm, pip};
use support::tools::{alone_in, once, run, target, workspace};
use x402_codegen::{ClientModel, python, read, rust, typescript};

/// The documents, how many calls the clients of them have at least, and how many warnings at most.
const DOCUMENTS: &[(&str, usize, usize)] = &[
    // OpenAPI 3.0, 13 MB: hundreds of shared parts, several answers to one call, unions that only require members; one call is
    // answered by another host.
    ("github", 1190, 1),
    // OpenAPI 3.1, out of YAML: streams, multipart uploads, deep objects, unions by a member, enumerations that stay open.
    ("openai", 270, 0),
    // OpenAPI 3.1, out of YAML: a query in each path, many headers, large unions.
    ("anthropic", 100, 0),
    // OpenAPI 3.1: every call is a POST with a body, answers are shared.
    ("rclone", 100, 0),
    // OpenAPI 3.0: forms, hundreds of types that lead to each other.
    ("star_trek", 120, 0),
    // OpenAPI 3.1: every style of parameter, also those that are not written.
    ("styles", 25, 30),
];

const NPM: &str = "descriptions of other people's services, which npm and pip fetch: Node.js 20 or newer, Python 3.11 or newer with venv";

/// No doc tests: the comments of the clients are other people's texts.
const MORE: &str = "\n[lib]\ndoctest = false\n";

/// Brings the documents, unless they are there.
fn documents() -> PathBuf {
    let home = target().join("codegen/foreign");
    let gate = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gate/foreign");
    alone_in(&home, || {
        let mut list = String::new();
        for file in [
            "package.json",
            "package-lock.json",
            "requirements.txt",
            "documents.mjs",
        ] {
            list += &fs::read_to_string(gate.join(file)).expect("a list of packages");
            fs::copy(gate.join(file), home.join(file)).expect("a copy in target/");
        }
        once(
            &home,
            &list,
            "descriptions of other people's services with npm and pip",
            || {
                let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
                let fetch = ["ci", "--no-audit", "--no-fund", "--ignore-scripts"];
                run(Command::new(npm).args(fetch).current_dir(&home), NPM);
                let venv = ["-m", "venv", "--clear", "venv"];
                run(Command::new("python3").args(venv).current_dir(&home), NPM);
                let install = [
                    "-m",
                    "pip",
                    "install",
                    "--disable-pip-version-check",
                    "--no-deps",
                    "--require-hashes",
                ];
                let to = [
                    "--only-binary",
                    ":all:",
                    "--upgrade",
                    "--target",
                    "pip",
                    "--requirement",
                    "requirements.txt",
                ];
                run(
                    Command::new(home.join("venv/bin/python"))
                        .args(install)
                        .args(to)
                        .current_dir(&home),
                    NPM,
                );
                run(
                    Command::new("node").arg("documents.mjs").current_dir(&home),
                    NPM,
                );
                // The packages have each document several times, in 400 MB.
                for folder in ["node_modules", "pip", "venv"] {
                    fs::remove_dir_all(home.join(folder)).expect("a folder in target/");
                }
            },
        );
    });
    home.join("documents")
}

fn model(documents: &Path, name: &str) -> ClientModel {
    let bytes = fs::read(documents.join(format!("{name}.json"))).expect("a document");
    read(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Writes the client of each document, and gives the folder.
fn written(folder: &Path, extension: &str, render: fn(&ClientModel) -> String) {
    let documents = documents();
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).expect("a folder in target/");
    for (name, ..) in DOCUMENTS {
        let text = render(&model(&documents, name));
        fs::write(folder.join(format!("{name}.{extension}")), text).expect("a file in target/");
    }
}

fn timed(what: &str, work: impl FnOnce()) {
    let began = Instant::now();
    work();
    eprintln!("{what}: {:.1?}", began.elapsed());
}

#[test]
fn nothing_is_left_out_in_silence_and_twice_is_the_same() {
    let documents = documents();
    for (name, calls, warnings) in DOCUMENTS {
        let first = model(&documents, name);
        assert!(
            first.endpoints.len() >= *calls,
            "{name}: {}",
            first.endpoints.len()
        );
        assert!(
            first.warnings.len() <= *warnings,
            "{name}: {:#?}",
            first.warnings
        );
        for warning in &first.warnings {
            assert!(
                warning.starts_with('/') && warning.contains(": ") && warning.len() <= 500,
                "{name}: {warning}"
            );
        }
        for endpoint in &first.endpoints {
            assert!(
                endpoint.price.is_none() && endpoint.rails.is_empty(),
                "{name}: {}",
                endpoint.id
            );
        }
        let second = model(&documents, name);
        for render in [rust::render, typescript::render, python::render] {
            assert!(
                render(&first) == render(&second),
                "{name} changes from one run to the next"
            );
        }
        eprintln!(
            "{name}: {} calls, {} types, {} warnings",
            first.endpoints.len(),
            first.types.len(),
            first.warnings.len()
        );
    }
}

#[test]
fn rust_clients_of_others_compile() {
    let home = target().join("codegen/foreign-rust");
    alone_in(&home, || {
        let clients = home.join("clients");
        written(&clients, "rs", rust::render);
        let gate = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gate/foreign");
        let mut members = Vec::new();
        // A crate for each, so that they are compiled at the same time.
        for (name, ..) in DOCUMENTS {
            let folder = home.join(name);
            fs::create_dir_all(folder.join("src")).expect("a folder in target/");
            fs::copy(
                clients.join(format!("{name}.rs")),
                folder.join("src/client.rs"),
            )
            .expect("a copy in target/");
            let mut lib =
                format!("//! The client of {name}.\n#![deny(warnings)]\npub mod client;\n");
            let uses = gate.join(format!("{name}.rs"));
            if uses.exists() {
                fs::copy(uses, folder.join("src/uses.rs")).expect("a copy in target/");
                lib.push_str("pub mod uses;\n");
            }
            fs::write(folder.join("src/lib.rs"), lib).expect("a file in target/");
            let manifest = crate_manifest(&format!("foreign-{}", name.replace('_', "-")), MORE);
            fs::write(folder.join("Cargo.toml"), manifest).expect("a file in target/");
            members.push(*name);
        }
        let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n");
        fs::write(home.join("Cargo.toml"), manifest).expect("a file in target/");
        fs::copy(workspace().join("Cargo.lock"), home.join("Cargo.lock"))
            .expect("a copy in target/");
        timed("cargo check", || {
            run(
                Command::new(env!("CARGO"))
                    .args([
                        "check",
                        "--offline",
                        "--quiet",
                        "--workspace",
                        "--manifest-path",
                    ])
                    .arg(home.join("Cargo.toml"))
                    .env("CARGO_TARGET_DIR", target()),
                "cargo",
            );
        });
    });
}

#[test]
fn typescript_clients_of_others_compile_and_send_what_they_say() {
    let home = target().join("codegen/typescript");
    alone_in(&home, || {
        npm(&home);
        // Below the packages that it stands on.
        let folder = home.join("foreign");
        written(&folder.join("src"), "ts", typescript::render);
        let uses = include_str!("gate/foreign/use.ts");
        fs::write(folder.join("src/use.ts"), uses).expect("a file in target/");
        let settings = "{ \"extends\": \"../tsconfig.json\", \"compilerOptions\": { \"outDir\": \"dist\" }, \"include\": [\"src\"] }\n";
        fs::write(folder.join("tsconfig.json"), settings).expect("a file in target/");
        let needs = "Node.js 20 or newer";
        timed("tsc", || {
            run(
                Command::new("node")
                    .args(["../node_modules/typescript/bin/tsc", "--project", "."])
                    .current_dir(&folder),
                needs,
            );
        });
        run(
            Command::new("node").arg("dist/use.js").current_dir(&folder),
            needs,
        );
    });
}

#[test]
fn python_clients_of_others_are_typed_and_send_what_they_say() {
    let home = target().join("codegen/python");
    alone_in(&home, || {
        let interpreter = pip(&home);
        let folder = home.join("foreign");
        written(&folder.join("clients"), "py", python::render);
        fs::write(folder.join("clients/__init__.py"), "").expect("a file in target/");
        let uses = include_str!("gate/foreign/use.py");
        fs::write(folder.join("use.py"), uses).expect("a file in target/");
        timed("mypy", || {
            run(
                Command::new(&interpreter)
                    .args(["-m", "mypy", "--strict", "clients", "use.py"])
                    .current_dir(&folder),
                PYTHON,
            );
        });
        run(
            Command::new(&interpreter)
                .args(["-W", "error::SyntaxWarning", "use.py"])
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .current_dir(&folder),
            PYTHON,
        );
    });
}
