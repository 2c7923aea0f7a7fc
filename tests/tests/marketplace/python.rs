//! The Python clients, the one that is awaited and the one that is not.

use std::path::PathBuf;
use std::{env, fs};

use tokio::process::Command;
use x402_tests::tools::{self, Python};

use crate::{script, stage::Stage};

/// Python, and where it finds what the program imports; fetches what is not there yet.
fn equipped() -> (Python, Vec<PathBuf>) {
    let python = tools::packages_of_pip();
    let home = tools::target().join("pip/marketplace");
    let list = tools::workspace().join("tests/peers/marketplace/requirements.txt");
    let text = fs::read_to_string(&list).expect("a list of packages");
    tools::alone_in(&home, || {
        tools::once(&home, &text, || {
            tools::say(&format!(
                "fetching what x402 for Python signs in with into {}",
                home.display()
            ));
            tools::run(
                std::process::Command::new(&python.program)
                    .args(["-m", "pip", "install", "--disable-pip-version-check"])
                    .args(["--no-deps", "--only-binary", ":all:", "--upgrade"])
                    .arg("--target")
                    .arg(home.join("packages"))
                    .arg("--requirement")
                    .arg(&list),
                "packages for Python, which pip fetches: Python 3.11 or newer with venv",
            );
        });
    });
    let client = tools::workspace().join("clients/python");
    (python, vec![client, home.join("packages")])
}

async fn buys_everything_once_at_its_price(mode: &str) {
    let equipped = tokio::task::spawn_blocking(equipped);
    let (equipped, stage) = tokio::join!(equipped, Stage::set());
    let (python, places) = equipped.unwrap();
    let mut program = Command::new(python.program);
    program
        .arg(tools::workspace().join("tests/peers/marketplace/buy.py"))
        .env("PYTHONPATH", env::join_paths(places).unwrap())
        .env("PEER_MODE", mode);
    let said = script::run(&stage, &mut program).await;
    stage.check(&said).await;
}

#[tokio::test]
async fn the_sync_python_client_buys_everything_once_at_its_price() {
    buys_everything_once_at_its_price("sync").await;
}

#[tokio::test]
async fn the_async_python_client_buys_everything_once_at_its_price() {
    buys_everything_once_at_its_price("async").await;
}
