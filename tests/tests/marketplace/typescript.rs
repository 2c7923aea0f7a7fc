//! The TypeScript client, compiled by `tsc` and run by node.

use std::fs;
use std::path::PathBuf;

use tokio::process::Command;
use x402_tests::tools;

use crate::{script, stage::Stage};

/// Where the client is compiled, with the program that buys; fetches what it needs.
fn compiled() -> PathBuf {
    let home = tools::npm_packages(
        &tools::workspace().join("tests/peers/marketplace"),
        "marketplace",
    );
    tools::alone_in(&home, || {
        let client = tools::workspace().join("clients/typescript/src/index.ts");
        fs::copy(client, home.join("src/marketplace.ts")).expect("a copy in target/");
        tools::run(
            std::process::Command::new("node")
                .args(["node_modules/typescript/bin/tsc", "--project", "."])
                .current_dir(&home),
            "Node.js 20 or newer",
        );
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
