//! The TypeScript client, compiled by `tsc` and run by node.

use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;
use x402_tests::tools;

use crate::{script, stage::Stage};

/// Where packages are, with the program that buys; fetches what is not there yet.
pub(crate) fn packages() -> PathBuf {
    tools::npm_packages(
        &tools::workspace().join("tests/peers/marketplace"),
        "marketplace",
    )
}

/// Compiles a folder below the packages.
pub(crate) fn compile(packages: &Path, folder: &Path) {
    tools::run(
        std::process::Command::new("node")
            .arg(packages.join("node_modules/typescript/bin/tsc"))
            .arg("--project")
            .arg(folder)
            .current_dir(folder),
        "Node.js 20 or newer",
    );
}

/// Where the client is compiled, with the program that buys.
fn compiled() -> PathBuf {
    let home = packages();
    tools::alone_in(&home, || {
        let client = tools::workspace().join("clients/typescript/src/index.ts");
        fs::copy(client, home.join("src/marketplace.ts")).expect("a copy in target/");
        compile(&home, &home);
    });
    home
}

#[tokio::test]
async fn the_typescript_client_buys_everything_once_at_its_price() {
    let home = tokio::task::spawn_blocking(compiled);
    let (home, stage) = tokio::join!(home, Stage::set());
    let mut node = Command::new("node");
    node.arg("dist/buy.js").current_dir(home.unwrap());
    let said = script::run(&stage, &mut node).await;
    stage.check(&said).await;
}
