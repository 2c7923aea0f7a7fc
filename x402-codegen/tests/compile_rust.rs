//! Every generated Rust client compiles, all of them in one crate, and prices the documented calls as the document says.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first thing that is not as expected"
)]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use support::tools::{alone_in, target, workspace};

/// What a user does with them.
const USE: &str = include_str!("gate/use.rs");

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
        fs::write(home.join("src/uses.rs"), USE).expect("a file in target/");
        fs::write(home.join("Cargo.toml"), manifest(&workspace())).expect("a file in target/");
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

fn manifest(workspace: &Path) -> String {
    let path = |name: &str| format!("{:?}", workspace.join(name));
    format!(
        "[package]\nname = \"codegen-gate\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n[workspace]\n\n\
         [lib]\ndoctest = false\n\n[dependencies]\nbytes = \"1\"\nhttp = \"1\"\nserde = {{ version = \"1\", features = [\"derive\"] }}\n\
         serde_json = \"1\"\nx402-client = {{ path = {} }}\nx402-model = {{ path = {} }}\n\n\
         [dev-dependencies]\ntokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }}\n",
        path("x402-client"),
        path("x402-model"),
    )
}
