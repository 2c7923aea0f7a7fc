//! A provider over HTTP: recorded answers, hostile ones, and what is asked of it.
#![cfg(feature = "http")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a test fails by panicking, and a table is as long as it is"
)]

#[cfg(feature = "sandbox")]
#[path = "common/all.rs"]
mod common;
#[cfg(feature = "sandbox")]
#[path = "http_support/paywall.rs"]
mod paywall;
#[path = "http_support/provider.rs"]
mod provider;
#[path = "http_support/vectors.rs"]
mod vectors;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use provider::{Do, Provider, gzip, json};
use serde_json::{Value, json as value};
use x402_runtime::facilitator::http::{AuthError, BearerToken, HttpFacilitator};
use x402_runtime::facilitator::{Facilitator, FacilitatorError, FacilitatorRequest, SettleOutcome};
use x402_runtime::secret::SecretFileError;

const TX: &str = "0xabababababababababababababababababababababababababababababababab";
const PAYER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
/// Long enough for a loaded machine, short enough to wait for.
const DEADLINE: Duration = Duration::from_millis(800);

fn request() -> FacilitatorRequest {
    FacilitatorRequest {
        x402_version: 2,
        payload: value!({ "x402Version": 2, "payload": { "authorization": { "from": PAYER } } })
            .into(),
        requirements: value!({ "scheme": "exact", "network": "eip155:84532" }).into(),
    }
}

fn quick(provider: &Provider) -> HttpFacilitator {
    HttpFacilitator::builder(&provider.url)
        .verify_deadline(DEADLINE)
        .settle_deadline(DEADLINE)
        .build()
        .unwrap()
}

fn success() -> Value {
    value!({ "success": true, "transaction": TX, "network": "eip155:84532", "payer": PAYER })
}

fn refusal(reason: &str, transaction: &str) -> Value {
    value!({ "success": false, "errorReason": reason, "transaction": transaction, "network": "eip155:84532" })
}

fn kinds() -> Value {
    value!({ "kinds": [{ "x402Version": 2, "scheme": "exact", "network": "eip155:84532" }] })
}

fn raw(text: &str) -> Do {
    Do::Raw(text.as_bytes().to_vec())
}

/// A whole answer whose header lines are wrong in some way.
fn said(lines: &str, body: &str) -> Do {
    raw(&format!("HTTP/1.1 200 OK\r\n{lines}\r\n{body}"))
}

/// Every way to give no answer. Each would be a success if its last part were overlooked.
fn no_answers() -> Vec<(&'static str, Do)> {
    let good = success().to_string();
    let length = good.len();
    let with = |key: &str, new: Value| {
        let mut body = success();
        body[key] = new;
        json(200, &body)
    };
    let mut packed = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        gzip(good.as_bytes()).len()
    )
    .into_bytes();
    packed.extend(gzip(good.as_bytes()));
    let endless = format!("{{\"success\":true,\"x\":\"{}\"", "x".repeat(10_000_000));
    vec![
        ("hang", Do::Hang),
        ("reset", Do::Reset),
        ("closed", raw("")),
        ("truncated head", raw("HTTP/1.1 200 OK\r\ncontent-le")),
        (
            "truncated body",
            said(
                &format!("content-length: {length}\r\n"),
                &good[..length - 1],
            ),
        ),
        (
            "truncated chunk",
            said("transfer-encoding: chunked\r\n", "ff\r\n{\"success\""),
        ),
        (
            "10 MB, announced",
            json(
                200,
                &value!({ "success": true, "x": "x".repeat(10_000_000) }),
            ),
        ),
        (
            "10 MB, not announced",
            said("connection: close\r\n", &endless),
        ),
        ("packed", Do::Raw(packed)),
        ("not HTTP", raw("hello\r\n\r\n")),
        ("text", Do::Say(200, vec![], b"OK".to_vec())),
        ("nothing", Do::Say(204, vec![], vec![])),
        ("empty", Do::Say(200, vec![], vec![])),
        ("not UTF-8", Do::Say(200, vec![], vec![0xff, 0xfe])),
        ("deep", Do::Say(200, vec![], b"[".repeat(5000))),
        ("false", json(200, &value!(false))),
        ("text for true", with("success", value!("true"))),
        ("number for true", with("success", value!(1))),
        ("no transaction", with("transaction", value!(""))),
        ("wrong network", with("network", value!("eip155:8453"))),
        (
            "wrong payer",
            with(
                "payer",
                value!("0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
            ),
        ),
        ("400", json(400, &success())),
        ("500", json(500, &success())),
        ("502 text", Do::Say(502, vec![], b"Bad Gateway".to_vec())),
        ("401 text", Do::Say(401, vec![], b"Unauthorized".to_vec())),
        (
            "late",
            Do::Late(DEADLINE * 2, Box::new(json(200, &success()))),
        ),
    ]
}

#[tokio::test]
async fn s01_no_answer_to_settle_leaves_the_outcome_unknown() {
    for (what, no_answer) in no_answers() {
        let provider = Provider::start([no_answer]);
        let started = Instant::now();
        let outcome = quick(&provider).settle(&request()).await;
        assert!(
            matches!(outcome, SettleOutcome::Unknown { .. }),
            "{what}: {outcome:?}"
        );
        assert!(started.elapsed() < DEADLINE * 4, "{what}");
        assert!(provider.seen().len() <= 1, "{what}: sent again");
    }
    let nobody = HttpFacilitator::new("http://127.0.0.1:1").unwrap();
    let outcome = nobody.settle(&request()).await;
    assert!(matches!(outcome, SettleOutcome::Unknown { .. }));
}

#[tokio::test]
async fn f09_no_answer_to_verify_or_supported_is_an_error() {
    for (what, no_answer) in no_answers() {
        let provider = Provider::start([no_answer]);
        let facilitator = quick(&provider);
        assert!(facilitator.verify(&request()).await.is_err(), "{what}");
        assert!(facilitator.supported().await.is_err(), "{what}");
    }
}

#[tokio::test]
async fn f09_redirects_are_not_followed() {
    let target = Provider::start([json(200, &success())]);
    for status in [301, 302, 303, 307, 308] {
        let to = vec![("location", format!("{}/settle", target.url))];
        let provider = Provider::start([Do::Say(status, to, vec![])]);
        let facilitator = quick(&provider);
        let outcome = facilitator.settle(&request()).await;
        assert!(matches!(outcome, SettleOutcome::Unknown { .. }), "{status}");
        let error = facilitator.verify(&request()).await.unwrap_err();
        assert!(matches!(error, FacilitatorError::BadAnswer(_)), "{status}");
    }
    assert!(target.seen().is_empty());
}

#[tokio::test]
async fn a_transaction_nobody_can_check_is_the_providers_word() {
    // Somebody else's hash looks like any other: without a chain it counts as settled, and evidence stays unavailable.
    let provider = Provider::start([json(200, &success())]);
    let outcome = quick(&provider).settle(&request()).await;
    let SettleOutcome::Settled(response) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(response.transaction, TX);
}

#[tokio::test]
async fn a_pending_settlement_is_asked_for_once_more_with_the_same_bytes() {
    let pending = || json(200, &refusal("settlement_pending", TX));
    type Check = fn(&SettleOutcome) -> bool;
    let unknown_with_hash: Check = |outcome| matches!(outcome, SettleOutcome::Unknown { transaction: Some(hash), .. } if hash == TX);
    let settled: Check = |outcome| matches!(outcome, SettleOutcome::Settled(_));
    let table: [(&str, Vec<Do>, usize, Check); 6] = [
        (
            "then settled",
            vec![pending(), json(200, &success())],
            2,
            settled,
        ),
        ("still pending", vec![pending()], 2, unknown_with_hash),
        (
            "then refused",
            vec![pending(), json(200, &refusal("insufficient_funds", ""))],
            2,
            unknown_with_hash,
        ),
        (
            "then used",
            vec![pending(), json(400, &refusal("nonce_already_used", ""))],
            2,
            unknown_with_hash,
        ),
        ("then gone", vec![pending(), raw("")], 2, unknown_with_hash),
        (
            "without a hash",
            vec![json(200, &refusal("settlement_pending", ""))],
            1,
            |outcome| matches!(outcome, SettleOutcome::Unknown { .. }),
        ),
    ];
    for (what, script, calls, check) in table {
        let provider = Provider::start(script);
        let outcome = quick(&provider).settle(&request()).await;
        assert!(check(&outcome), "{what}: {outcome:?}");
        let seen = provider.seen();
        assert_eq!(seen.len(), calls, "{what}");
        assert!(seen.iter().all(|one| one.body == seen[0].body), "{what}");
    }
}

#[tokio::test]
async fn kinds_are_asked_for_once_and_then_remembered() {
    let slow = Do::Late(Duration::from_millis(100), Box::new(json(200, &kinds())));
    let provider = Provider::start([slow, Do::Hang]);
    let facilitator = Arc::new(quick(&provider));
    let answers = join_all((0..20).map(|_| facilitator.supported())).await;
    assert!(answers.iter().all(Result::is_ok));
    assert!(facilitator.supported().await.is_ok());
    assert_eq!(provider.seen().len(), 1);
}

#[tokio::test]
async fn a_failure_is_shared_by_all_who_waited_for_it() {
    let down = Do::Late(
        Duration::from_millis(100),
        Box::new(Do::Say(500, vec![], vec![])),
    );
    let provider = Provider::start([down]);
    let facilitator = quick(&provider);
    let answers = join_all((0..20).map(|_| facilitator.supported())).await;
    assert!(answers.iter().all(Result::is_err));
    assert_eq!(provider.seen().len(), 1);
    provider.script([json(200, &kinds())]);
    assert!(facilitator.supported().await.is_ok());
}

#[tokio::test]
async fn old_kinds_are_used_while_new_ones_are_fetched() {
    let provider = Provider::start([json(200, &kinds()), Do::Hang]);
    let facilitator = HttpFacilitator::builder(&provider.url)
        .kinds_fresh_for(Duration::ZERO)
        .build()
        .unwrap();
    assert!(facilitator.supported().await.is_ok());
    let started = Instant::now();
    for _ in 0..50 {
        assert!(facilitator.supported().await.is_ok());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(started.elapsed() < Duration::from_secs(8));
    assert_eq!(provider.seen().len(), 2, "one refresh at a time");
}

#[tokio::test]
async fn too_many_requests_is_asked_again_three_times_at_most() {
    let busy = || Do::Say(429, vec![("retry-after", "0".to_owned())], vec![]);
    let provider = Provider::start([busy(), busy(), busy(), json(200, &kinds())]);
    assert!(quick(&provider).supported().await.is_ok());
    assert_eq!(provider.seen().len(), 4);
    provider.script([busy()]);
    let facilitator = quick(&provider);
    assert!(facilitator.supported().await.is_err());
    assert_eq!(provider.seen().len(), 8);
    // Payments are never sent again by themselves.
    assert!(facilitator.verify(&request()).await.is_err());
    let outcome = facilitator.settle(&request()).await;
    assert!(matches!(outcome, SettleOutcome::Unknown { .. }));
    assert_eq!(provider.seen().len(), 10);
}

#[tokio::test]
async fn t09_tokens_go_to_the_provider_and_nowhere_else() {
    let echo = Do::Say(401, vec![], b"CANARY-secret-token is wrong".to_vec());
    let provider = Provider::start([echo]);
    let token = BearerToken::from_token("CANARY-secret-token").unwrap();
    let builder = HttpFacilitator::builder(&provider.url).auth(token.clone());
    let shown = format!("{token:?} {builder:?}");
    let facilitator = builder.build().unwrap();
    let error = facilitator.verify(&request()).await.unwrap_err();
    let outcome = facilitator.settle(&request()).await;
    let shown = format!("{shown} {facilitator:?} {error:?} {error} {outcome:?}");
    assert!(!shown.contains("CANARY"), "{shown}");
    let seen = provider.seen();
    assert_eq!(seen.len(), 2);
    for call in seen {
        assert_eq!(
            call.header("authorization"),
            Some("Bearer CANARY-secret-token")
        );
    }
}

#[test]
fn tokens_come_from_files_of_ones_own() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    std::fs::write(&path, "secret-of-mine\n").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |bits| std::fs::set_permissions(&path, PermissionsExt::from_mode(bits)).unwrap();
        mode(0o640);
        let error = BearerToken::from_file(&path).unwrap_err();
        assert!(matches!(
            error,
            AuthError::File(SecretFileError::Permissions { mode: 0o640, .. })
        ));
        mode(0o600);
    }
    assert!(BearerToken::from_file(&path).is_ok());
    for bad in ["", "two words", "line\nbreak", "ü"] {
        std::fs::write(&path, bad).unwrap();
        let error = BearerToken::from_file(&path).unwrap_err();
        assert!(matches!(error, AuthError::NotAToken(_)), "{bad}");
    }
    std::fs::write(&path, "x".repeat(20_000)).unwrap();
    assert!(matches!(
        BearerToken::from_file(&path),
        Err(AuthError::File(SecretFileError::TooLarge { .. }))
    ));
    assert!(matches!(
        BearerToken::from_file(directory.path().join("none")),
        Err(AuthError::File(SecretFileError::Read { .. }))
    ));
    assert!(matches!(
        BearerToken::from_env("X402_TEST_NO_SUCH_TOKEN"),
        Err(AuthError::Environment(_))
    ));
}
