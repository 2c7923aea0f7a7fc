//! The program as an operator runs it: flags, files, what it prints, how it stops, and what it keeps to itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::too_many_lines,
    reason = "helpers of tests may fail loudly, and a table is as long as it is"
)]
#![cfg(unix)]

#[path = "../../x402-runtime/tests/evm_support/node.rs"]
mod node;
#[path = "facilitator_support/server.rs"]
mod server;
#[path = "../../x402-runtime/tests/evm_support/support.rs"]
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use alloy_primitives::hex;
use node::Faults;
use reqwest::Method;
use serde_json::{Value, json};
use server::{ALICE, body, client, send};
use support::Payment;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use x402_runtime::sandbox::Sandbox;

/// A folder with the files of an operator.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, mode: u32, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// The key of the sandbox's settling account.
    fn settler(&self, sandbox: &Sandbox, mode: u32) -> PathBuf {
        self.write("settler", mode, &settler_key(sandbox))
    }
}

fn settler_key(sandbox: &Sandbox) -> String {
    hex::encode(sandbox.accounts()[2].signer().to_bytes())
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_x402"));
    command
        .arg("facilitator")
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs the program to its end, which must be a refusal to start.
async fn refused(arguments: &[&str]) -> (i32, String) {
    let output = tokio::time::timeout(Duration::from_secs(60), program(arguments).output());
    let output = output.await.expect("it ends by itself").unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), text)
}

/// Starts the program and reads what it prints up to its address.
async fn started(mut command: Command) -> (Child, Vec<String>, String) {
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut printed = Vec::new();
    while let Ok(Some(line)) = tokio::time::timeout(Duration::from_secs(60), lines.next_line())
        .await
        .expect("it starts")
    {
        printed.push(line.clone());
        if let Some(url) = line.strip_prefix("listening on ") {
            return (child, printed, url.to_owned());
        }
    }
    let mut text = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .await
        .unwrap();
    panic!("it did not start: {text}");
}

/// Asks the program to stop and returns how it ended, and its log.
async fn stopped(mut child: Child) -> (Option<i32>, String) {
    let id = child.id().unwrap().to_string();
    let kill = std::process::Command::new("kill")
        .args(["-TERM", &id])
        .status()
        .unwrap();
    assert!(kill.success());
    let mut log = String::new();
    let mut errors = child.stderr.take().unwrap();
    let ended = async {
        errors.read_to_string(&mut log).await.unwrap();
        child.wait().await.unwrap()
    };
    let status = tokio::time::timeout(Duration::from_secs(60), ended)
        .await
        .expect("it stops");
    (status.code(), log)
}

async fn sandbox_node() -> (Sandbox, String) {
    let sandbox = Sandbox::new().unwrap();
    let url = node::node(sandbox.chain(), Faults::default()).await;
    (sandbox, url)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Forms in which a secret could leak.
fn forms(secret: &str) -> Vec<String> {
    let bytes: Vec<String> = secret.bytes().map(|byte| byte.to_string()).collect();
    vec![
        secret.to_owned(),
        secret.to_uppercase(),
        hex::encode(secret),
        bytes.join(", "),
    ]
}

#[tokio::test]
async fn it_verifies_settles_stops_and_keeps_its_secrets() {
    let (sandbox, url) = sandbox_node().await;
    let files = Files::new();
    let key = files.settler(&sandbox, 0o600);
    let tokens = files.write("tokens", 0o600, &format!("alice {ALICE}\n"));
    let mut command = program(&[
        "--network",
        "base-sepolia",
        "--settler-key-file",
        text(&key),
        "--auth-token-file",
        text(&tokens),
        "--listen",
        "127.0.0.1:0",
        "--log",
        "trace",
    ]);
    // The endpoint holds an access key, so it does not stand among the arguments.
    command.env("X402_RPC_URL", &url);
    let (child, printed, server) = started(command).await;
    assert_eq!(printed.len(), 2, "{printed:?}");
    assert_eq!(
        printed[0],
        format!(
            "eip155:84532 (Base Sepolia): settles USDC from {} with 10000 ETH",
            sandbox.settler()
        )
    );
    let payment = Payment::new(&sandbox);
    let call = body(&payment.request()).to_string();
    let bearer = format!("Bearer {ALICE}");
    let post = async |operation: &str, header: &str| {
        let url = format!("{server}/{operation}");
        let headers = [("authorization", header)];
        send(
            &client(),
            Method::POST,
            &url,
            call.clone().into_bytes(),
            &headers,
        )
        .await
    };
    assert_eq!(
        post("verify", "Bearer canary-of-somebody-else")
            .await
            .status,
        401
    );
    assert_eq!(post("verify", &bearer).await.json["isValid"], true);
    let settled = post("settle", &bearer).await;
    assert!(settled.success(), "{settled:?}");
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 1);
    let (code, log) = stopped(child).await;
    assert_eq!(code, Some(0), "{log}");
    for known in [
        format!("payer={}", payment.from),
        format!("nonce={}", payment.nonce),
        format!("transaction={}", settled.json["transaction"]),
        "caller=\"alice\"".to_owned(),
    ] {
        assert!(log.contains(&known), "{known} is not in the log: {log}");
    }
    let signature = hex::encode(payment.signature());
    let secrets = [
        settler_key(&sandbox).as_str(),
        ALICE,
        "canary-of-somebody-else",
        "secret-key-in-the-path",
        signature.as_str(),
    ]
    .map(forms);
    for secret in secrets.iter().flatten() {
        assert!(
            !log.contains(secret) && !printed.concat().contains(secret),
            "{secret} leaked: {log}"
        );
    }
}

#[tokio::test]
async fn a_configuration_file_sets_everything_and_logs_can_be_json() {
    let (sandbox, url) = sandbox_node().await;
    let files = Files::new();
    let key = files.settler(&sandbox, 0o600);
    let node = files.write("node", 0o600, &url);
    let config = files.write(
        "facilitator.toml",
        0o644,
        &format!(
            r#"
            listen = "127.0.0.1:0"
            repeats = "never"
            [limits]
            client = {{ per_minute = 60, burst = 20 }}
            [[network]]
            name = "eip155:84532"
            rpc_url_file = "{}"
            settler_key_files = ["{}"]
            assets = ["usdc"]
            pay_to = ["{}"]
            minimum = {{ USDC = 20000 }}
            poll_interval_ms = 10
            "#,
            text(&node),
            text(&key),
            sandbox.seller(),
        ),
    );
    let (child, printed, server) = started(program(&["--config", text(&config)])).await;
    assert!(printed[0].contains("settles USDC"), "{printed:?}");
    let settle = async |payment: Payment| {
        let call = body(&payment.request()).to_string();
        send(
            &client(),
            Method::POST,
            &format!("{server}/settle"),
            call.into_bytes(),
            &[],
        )
        .await
    };
    let dust = settle(Payment::new(&sandbox)).await;
    assert_eq!(dust.code(), "amount_below_minimum");
    let elsewhere = Payment {
        to: sandbox.settler(),
        value: 20_000,
        ..Payment::new(&sandbox)
    };
    assert_eq!(
        settle(elsewhere).await.code(),
        "invalid_payment_requirements"
    );
    assert!(
        settle(Payment {
            value: 20_000,
            ..Payment::new(&sandbox)
        })
        .await
        .success()
    );
    assert_eq!(stopped(child).await.0, Some(0));

    let mut child = program(&["--config", text(&config), "--json-logs"])
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut messages = Vec::new();
    while messages.last().is_none_or(|last| last != "listening") {
        let line = tokio::time::timeout(Duration::from_secs(60), lines.next_line())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        messages.push(line["message"].as_str().unwrap().to_owned());
    }
    assert_eq!(messages, ["network", "listening"]);
}

#[tokio::test]
async fn k02_what_is_unsafe_or_wrong_does_not_start_and_says_what_to_do() {
    let (sandbox, url) = sandbox_node().await;
    let files = Files::new();
    let key = files.settler(&sandbox, 0o600);
    let open_key = files.write("open", 0o644, &settler_key(&sandbox));
    let tokens = files.write("tokens", 0o644, &format!("alice {ALICE}\n"));
    let wrong = files.write("wrong.toml", 0o644, "pubic = true\n");
    let (key, open_key, tokens, wrong) = (text(&key), text(&open_key), text(&tokens), text(&wrong));
    let base = [
        "--network",
        "base-sepolia",
        "--rpc-url",
        url.as_str(),
        "--listen",
        "127.0.0.1:0",
    ];
    let with = |more: &[&'static str], paths: &[(&'static str, &str)]| -> Vec<String> {
        let paths = paths
            .iter()
            .flat_map(|(flag, path)| [(*flag).to_owned(), (*path).to_owned()]);
        base.iter()
            .chain(more)
            .map(|text| (*text).to_owned())
            .chain(paths)
            .collect()
    };
    let own =
        |texts: &[&str]| -> Vec<String> { texts.iter().map(|text| (*text).to_owned()).collect() };
    let table: Vec<(Vec<String>, i32, &str)> = vec![
        (own(&[]), 2, "no network is given"),
        (
            own(&["--network", "base-sepolia"]),
            2,
            "one --rpc-url for each --network",
        ),
        (with(&[], &[]), 2, "no settling account"),
        (
            with(&[], &[("--settler-key-file", open_key)]),
            2,
            "chmod 600",
        ),
        (
            with(
                &[],
                &[("--settler-key-file", key), ("--settler-key-file", key)],
            ),
            2,
            "named twice",
        ),
        (
            with(
                &[],
                &[("--settler-key-file", key), ("--auth-token-file", tokens)],
            ),
            2,
            "chmod 600",
        ),
        (
            with(&["--asset", "DOGE"], &[("--settler-key-file", key)]),
            2,
            "DOGE",
        ),
        (
            with(&["--pay-to", "0x12"], &[("--settler-key-file", key)]),
            2,
            "pay_to",
        ),
        (
            with(
                &[
                    "--network",
                    "base-sepolia",
                    "--rpc-url",
                    "http://127.0.0.1:1",
                ],
                &[("--settler-key-file", key)],
            ),
            1,
            "cannot be reached",
        ),
        (
            own(&[
                "--network",
                "base",
                "--rpc-url",
                &url,
                "--settler-key-file",
                key,
            ]),
            1,
            "serves chain 84532",
        ),
        (
            own(&[
                "--network",
                "bas",
                "--rpc-url",
                &url,
                "--settler-key-file",
                key,
            ]),
            2,
            "base",
        ),
        (
            own(&[
                "--network",
                "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp",
                "--rpc-url",
                &url,
                "--settler-key-file",
                key,
            ]),
            2,
            "not an EVM chain",
        ),
        (own(&["--config", wrong]), 2, "unknown field `pubic`"),
        (own(&["--config", "/nowhere.toml"]), 2, "cannot read"),
        (
            own(&[
                "--network",
                "base-sepolia",
                "--rpc-url",
                &url,
                "--settler-key-file",
                key,
                "--listen",
                "0.0.0.0:0",
            ]),
            2,
            "--auth-token-file",
        ),
    ];
    for (arguments, code, part) in table {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (ended, message) = refused(&arguments).await;
        assert_eq!(ended, code, "{arguments:?}: {message}");
        assert!(message.contains(part), "{arguments:?}: {message}");
        assert!(!message.contains("secret-key-in-the-path"), "{message}");
        assert!(!message.contains(&settler_key(&sandbox)), "{message}");
    }
}

/// A node of another chain than the sandbox's: it only says its id.
async fn node_of(chain_id: u64) -> String {
    node::serve(move |request| match request["method"].as_str() {
        Some("eth_chainId") => node::Reply::Result(json!(format!("{chain_id:#x}"))),
        _ => node::Reply::Result(json!("0x0")),
    })
    .await
}

#[tokio::test]
async fn k06_a_published_key_does_not_settle_real_money() {
    let sandbox = Sandbox::new().unwrap();
    let url = node_of(8453).await;
    let files = Files::new();
    let key = files.settler(&sandbox, 0o600);
    let (code, message) = refused(&[
        "--network",
        "base",
        "--rpc-url",
        &url,
        "--settler-key-file",
        text(&key),
    ])
    .await;
    assert_eq!(code, 1);
    assert!(message.contains("published development key"), "{message}");
}

#[tokio::test]
async fn several_networks_run_in_one_process() {
    let (sandbox, url) = sandbox_node().await;
    let other = node_of(421_614).await;
    let files = Files::new();
    let key = files.settler(&sandbox, 0o600);
    let command = program(&[
        "--network",
        "base-sepolia",
        "--rpc-url",
        &url,
        "--network",
        "arbitrum-sepolia",
        "--rpc-url",
        &other,
        "--settler-key-file",
        text(&key),
        "--listen",
        "127.0.0.1:0",
    ]);
    let (child, printed, server) = started(command).await;
    assert!(
        printed[1].starts_with("eip155:421614 (Arbitrum Sepolia)")
            && printed[1].contains("with 0 ETH"),
        "{printed:?}"
    );
    let supported = send(
        &client(),
        Method::GET,
        &format!("{server}/supported"),
        Vec::new(),
        &[],
    )
    .await;
    let networks: Vec<&str> = supported.json["kinds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| kind["network"].as_str().unwrap())
        .collect();
    assert_eq!(
        networks,
        [
            "eip155:84532",
            "eip155:84532",
            "base-sepolia",
            "eip155:421614",
            "eip155:421614"
        ]
    );
    let call = body(&Payment::new(&sandbox).request())
        .to_string()
        .into_bytes();
    assert!(
        send(
            &client(),
            Method::POST,
            &format!("{server}/settle"),
            call,
            &[]
        )
        .await
        .success()
    );
    let (_, log) = stopped(child).await;
    assert!(log.contains("the settling account is empty"), "{log}");
}
