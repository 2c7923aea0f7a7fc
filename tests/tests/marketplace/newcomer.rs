//! The first steps of the README: the program that pays there works as it stands there, with a client made of such a seller.

use std::fs;
use std::path::PathBuf;

use axum::Json;
use axum::extract::Path;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;
use x402_model::network::Network;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::paid;
use x402_runtime::paywall::{Paywall, Rail};
use x402_runtime::sandbox::Sandbox;
use x402_tests::tools;

use crate::typescript::{compile, packages};

/// Current weather for a city.
#[paid(GET "/weather/{city}", price = "0.01 USDC")]
async fn weather(Path(city): Path<String>) -> Json<Value> {
    Json(json!({"city": city, "celsius": 21}))
}

/// The program of the README.
fn program() -> String {
    let page = fs::read_to_string(tools::workspace().join("README.md")).unwrap();
    let (_, rest) = page.split_once("```js\n").expect("a program");
    let (program, _) = rest.split_once("```").expect("its end");
    program.to_owned()
}

/// The package that is made of a manifest, compiled, with that program beside it.
fn package(manifest: &str) -> PathBuf {
    let model = x402_codegen::read(manifest.as_bytes()).unwrap();
    let packages = packages();
    let home = packages.join("newcomer");
    tools::alone_in(&home, || {
        for file in x402_codegen::typescript::package(&model, "weather-client").unwrap() {
            let path = home.join(&file.path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file.text).unwrap();
        }
        fs::write(home.join("pay.mjs"), program()).unwrap();
        compile(&packages, &home);
    });
    home
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_call_of_the_readme_is_paid_as_it_says() {
    let sandbox = Sandbox::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let offer = Paywall::builder()
        .origin(&origin)
        .pay_to(sandbox.seller().to_string())
        .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
        .mount(weather);
    let manifest = offer.manifest().unwrap().pretty();
    let home = tokio::task::spawn_blocking(move || package(&manifest));
    let paywall = offer
        .facilitator_arc(sandbox.facilitator())
        .ledger(MemoryLedger::default())
        .build()
        .await
        .unwrap();
    let app = paywall.router();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let before = sandbox.token_balance(sandbox.seller()).unwrap().get();
    let home = home.await.unwrap();
    let node = Command::new("node")
        .arg("pay.mjs")
        .current_dir(&home)
        .env("NO_PROXY", "127.0.0.1")
        .kill_on_drop(true)
        .output();
    let output = node.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "costs 0.01");
    let told = "celsius: 21, city: 'zurich' } paid 0.01 in 0x";
    assert!(lines[1].contains(told), "{said}");
    assert!(lines[1].ends_with(", 0.04 left"), "{said}");
    let after = sandbox.token_balance(sandbox.seller()).unwrap().get();
    assert_eq!((after - before).to::<u64>(), 10_000);
    paywall.shutdown().await;
}
