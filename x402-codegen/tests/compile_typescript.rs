//! Every generated TypeScript client passes `tsc --strict`, and works: quotes, payments, refusals, pages, streams.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first thing that is not as expected"
)]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::tools::{alone_in, once, run, target};

const USE: &str = include_str!("gate/use.ts");

#[test]
fn every_typescript_client_compiles_and_works() {
    let home = target().join("codegen/typescript");
    alone_in(&home, || {
        install(&home);
        let source = home.join("src");
        let _ = fs::remove_dir_all(&source);
        fs::create_dir_all(&source).expect("a folder in target/");
        for case in support::cases() {
            let text = x402_codegen::typescript::render(&support::model(&case));
            fs::write(source.join(format!("{case}.ts")), text).expect("a file in target/");
        }
        fs::write(source.join("use.ts"), USE).expect("a file in target/");
        let needs = "Node.js 20 or newer";
        run(
            Command::new("node")
                .args(["node_modules/typescript/bin/tsc", "--project", "."])
                .current_dir(&home),
            needs,
        );
        run(
            Command::new("node").arg("dist/use.js").current_dir(&home),
            needs,
        );
    });
}

fn install(home: &Path) {
    let gate = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gate/npm");
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
