//! Every generated TypeScript client passes `tsc --strict`, and works: quotes, payments, refusals, pages, streams.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first thing that is not as expected"
)]

mod support;

use std::fs;
use std::process::Command;

use support::install::{NODE, npm};
use support::tools::{alone_in, run, target};

const USE: &str = include_str!("gate/use.ts");

#[test]
fn every_typescript_client_compiles_and_works() {
    let home = target().join("codegen/typescript");
    alone_in(&home, || {
        npm(&home);
        let source = home.join("src");
        let _ = fs::remove_dir_all(&source);
        fs::create_dir_all(&source).expect("a folder in target/");
        for case in support::cases() {
            let text = x402_codegen::typescript::render(&support::model(&case));
            fs::write(source.join(format!("{case}.ts")), text).expect("a file in target/");
        }
        fs::write(source.join("use.ts"), USE).expect("a file in target/");
        fs::write(home.join("refusals.json"), support::REFUSALS).expect("a file in target/");
        run(
            Command::new("node")
                .args(["node_modules/typescript/bin/tsc", "--project", "."])
                .current_dir(&home),
            NODE,
        );
        run(
            Command::new("node").arg("dist/use.js").current_dir(&home),
            NODE,
        );
    });
}
