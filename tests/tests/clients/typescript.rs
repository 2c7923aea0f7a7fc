//! All TypeScript clients in one project.

use std::fs;
use std::path::PathBuf;

use x402_tests::tools;

use crate::golden::install::{NODE, npm};
use crate::plan::Case;

/// The driver of all clients.
const DRIVE: &str = include_str!("../../peers/clients/drive.mjs");

/// Types are checked by the second gate.
const SETTINGS: &str = r#"{
  "extends": "../tsconfig.json",
  "compilerOptions": { "noCheck": true, "outDir": "dist", "rootDir": "src" },
  "include": ["src"]
}
"#;

/// Where the project is: beside the packages that the second gate installs, too.
pub(crate) fn home() -> PathBuf {
    tools::target().join("codegen/typescript/live")
}

/// Compiles the clients, and gives what starts the driver.
pub(crate) fn program(cases: &[Case], texts: &[String]) -> Vec<PathBuf> {
    let home = home();
    let packages = home.parent().expect("a folder in target/");
    tools::alone_in(packages, || npm(packages));
    let source = home.join("src");
    let _ = fs::remove_dir_all(&source);
    fs::create_dir_all(&source).expect("a folder in target/");
    for (case, text) in cases.iter().zip(texts) {
        fs::write(source.join(format!("{}.ts", case.name)), text).expect("a file in target/");
    }
    fs::write(home.join("tsconfig.json"), SETTINGS).expect("a file in target/");
    fs::write(home.join("drive.mjs"), DRIVE).expect("a file in target/");
    tools::run(
        std::process::Command::new("node")
            .args(["../node_modules/typescript/bin/tsc", "--project", "."])
            .current_dir(&home),
        NODE,
    );
    vec![PathBuf::from("node"), home.join("drive.mjs")]
}
