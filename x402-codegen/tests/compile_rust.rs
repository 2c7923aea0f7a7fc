//! Every generated Rust client compiles, all of them in one crate, and prices the documented calls as the document says.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first thing that is not as expected"
)]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use support::install::crate_manifest;
use support::tools::{alone_in, target, workspace};

/// What a user does with them.
const USE: &str = include_str!("gate/use.rs");

/// What keeps them from paying.
const REFUSALS: &str = include_str!("gate/refusals.rs");

/// No doc tests: the comments of the clients are other people's texts.
const MORE: &str = "\n[workspace]\n\n[lib]\ndoctest = false\n\n[dev-dependencies]\n\
                    alloy-signer-local = { version = \"2\", default-features = false }\n\
                    tokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\", \"sync\"] }\n";

#[test]
fn every_rust_client_compiles_and_works() {
    let home = target().join("codegen/rust");
    alone_in(&home, || {
        let mut modules =
            String::from("//! Every golden client.\n#![deny(warnings)]\n#[cfg(test)]\nmod uses;\n");
        for case in support::cases() {
            let text = x402_codegen::rust::render(&support::model(&case));
            fs::create_dir_all(home.join("src")).expect("a folder in target/");
            fs::write(home.join(format!("src/{case}.rs")), text).expect("a file in target/");
            writeln!(modules, "pub mod {case};").expect("a string");
        }
        fs::write(home.join("src/lib.rs"), modules).expect("a file in target/");
        for (file, text) in [
            ("uses.rs", USE),
            ("refusals.rs", REFUSALS),
            ("refusals.json", support::REFUSALS),
        ] {
            fs::write(home.join("src").join(file), text).expect("a file in target/");
        }
        let manifest = crate_manifest("codegen-gate", MORE);
        fs::write(home.join("Cargo.toml"), manifest).expect("a file in target/");
        // The versions that the workspace is built with are there already.
        fs::copy(workspace().join("Cargo.lock"), home.join("Cargo.lock"))
            .expect("a copy in target/");
        let output = Command::new(env!("CARGO"))
            .args(["test", "--offline", "--quiet", "--manifest-path"])
            .arg(home.join("Cargo.toml"))
            .env("CARGO_TARGET_DIR", target())
            .output()
            .expect("cargo runs");
        let said = String::from_utf8_lossy(&output.stderr);
        let tests = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}\n{tests}");
    });
}
