//! The facilitator's REST API: shapes, statuses, and everything that is refused before a payment is looked at.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests may fail loudly"
)]

#[path = "facilitator_support/server.rs"]
mod server;
#[path = "../../x402-runtime/tests/evm_support/support.rs"]
mod support;

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use server::{ALICE, Server, Setup, body, send};
use support::{Payment, sandbox};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use x402_cli::facilitator::{Options, Rate, ServeError, serve};
use x402_runtime::facilitator::FacilitatorRequest;

const SEPOLIA: &str = "eip155:84532";

fn version_1(payment: &Payment) -> FacilitatorRequest {
    let mut request = payment.request();
    let terms = json!({
        "scheme": "exact", "network": "base-sepolia", "maxAmountRequired": payment.value.to_string(),
        "resource": "https://api.example.com/weather", "description": "", "mimeType": "", "outputSchema": null,
        "payTo": payment.to, "maxTimeoutSeconds": 60, "asset": payment.token,
        "extra": { "name": payment.name, "version": payment.version },
    });
    let payload = request.payload.to_value()["payload"].take();
    request.payload = json!({
        "x402Version": 1, "scheme": "exact", "network": "base-sepolia", "payload": payload,
    })
    .into();
    request.x402_version = 1;
    request.requirements = terms.into();
    request
}

#[tokio::test]
async fn both_versions_are_verified_and_settled_in_their_own_words() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).start().await;
    let payments = (Payment::new(&sandbox), Payment::new(&sandbox));
    let cases = [
        (payments.0.request(), SEPOLIA),
        (version_1(&payments.1), "base-sepolia"),
    ];
    for (request, network) in cases {
        let payer = sandbox.payer().to_string();
        let verified = server.verify(&request).await;
        assert_eq!(
            (verified.status, verified.json),
            (200, json!({ "isValid": true, "payer": payer }))
        );
        let settled = server.settle(&request).await;
        assert_eq!(settled.status, 200);
        let hash = settled.json["transaction"].as_str().unwrap().to_owned();
        assert_eq!(hash.len(), 66);
        let expected =
            json!({ "success": true, "payer": payer, "transaction": hash, "network": network });
        assert_eq!(settled.json, expected);
        assert_eq!(settled.headers["content-type"], "application/json");
        assert_eq!(settled.headers["cache-control"], "no-store");
    }
    assert_eq!(server.sent(), 2);
}

#[tokio::test]
async fn supported_lists_both_versions_with_the_signers() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).start().await;
    let supported = server.get("supported").await;
    let expected = json!({
        "kinds": [
            { "x402Version": 2, "scheme": "exact", "network": SEPOLIA },
            { "x402Version": 2, "scheme": "upto", "network": SEPOLIA, "extra": { "facilitatorAddress": sandbox.settler().to_string() } },
            { "x402Version": 1, "scheme": "exact", "network": "base-sepolia" },
        ],
        "extensions": ["eip2612GasSponsoring", "erc20ApprovalGasSponsoring"],
        "signers": { SEPOLIA: [sandbox.settler().to_string()] },
    });
    assert_eq!((supported.status, supported.json), (200, expected));
    let health = server.get("health").await;
    let expected =
        json!({ "status": "ok", "networks": [{ "network": SEPOLIA, "settling": true }] });
    assert_eq!((health.status, health.json), (200, expected));
}

#[tokio::test]
async fn health_says_why_nothing_can_be_settled() {
    let (sandbox, _) = sandbox();
    let trouble = async |reason: &str| {
        let health = Setup::on(&sandbox).start().await.get("health").await;
        let expected = json!({
            "status": "down",
            "networks": [{ "network": SEPOLIA, "settling": false, "reason": reason }],
        });
        assert_eq!((health.status, health.json), (503, expected));
    };
    sandbox.set_native_balance(sandbox.settler(), alloy_primitives::U256::ZERO);
    trouble("settlers_empty").await;
    sandbox.set_unreachable(true);
    trouble("chain_unreachable").await;
}

#[tokio::test]
async fn explicit_nulls_are_absent_members() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).start().await;
    let mut request = body(&Payment::new(&sandbox).request());
    request["x402Version"] = Value::Null;
    request["other"] = Value::Null;
    for key in ["resource", "extensions"] {
        request["paymentPayload"][key] = Value::Null;
    }
    for key in ["description", "mimeType", "outputSchema"] {
        request["paymentRequirements"][key] = Value::Null;
    }
    request["paymentRequirements"]["extra"]["assetTransferMethod"] = Value::Null;
    let verified = server.post("verify", request.to_string(), &[]).await;
    assert_eq!(verified.json["isValid"], true, "{:?}", verified.json);
}

#[tokio::test]
async fn g14_a_malformed_body_is_400_with_a_code_in_the_shape_of_its_call() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).start().await;
    let doubled = body(&Payment::new(&sandbox).request())
        .to_string()
        .replacen("\"to\":", "\"to\":\"0x00\",\"to\":", 1);
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let table: [(&str, Vec<u8>); 9] = [
        ("invalid_json", Vec::new()),
        ("invalid_json", b"{".to_vec()),
        ("invalid_json", vec![0xff; 100]),
        ("json_too_deep", deep.into_bytes()),
        ("json_too_deep", br#"{"a":"#.repeat(5_000)),
        ("json_member_doubled", doubled.into_bytes()),
        ("invalid_request", b"[1]".to_vec()),
        ("invalid_payload", b"{}".to_vec()),
        (
            "invalid_payment_requirements",
            br#"{"paymentPayload":{}}"#.to_vec(),
        ),
    ];
    for (code, bytes) in table {
        let verified = server.post("verify", bytes.clone(), &[]).await;
        assert_eq!((verified.status, verified.code()), (400, code));
        assert_eq!(verified.json["isValid"], false);
        let settled = server.post("settle", bytes, &[]).await;
        assert_eq!((settled.status, settled.code()), (400, code));
        assert_eq!(
            (&settled.json["success"], &settled.json["transaction"]),
            (&json!(false), &json!(""))
        );
    }
    assert_eq!(server.sent(), 0);
}

#[tokio::test]
async fn other_paths_and_methods_are_told_so() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).start().await;
    let table = [
        (Method::GET, "verify", 405),
        (Method::PUT, "settle", 405),
        (Method::POST, "supported", 405),
        (Method::POST, "", 404),
        (Method::GET, "verify/", 404),
        (Method::GET, "discovery/resources", 404),
    ];
    for (method, path, status) in table {
        let url = format!("{}/{path}", server.url);
        let reply = send(&server.client, method, &url, Vec::new(), &[]).await;
        assert_eq!(reply.status, status, "{path}");
        assert!(!reply.code().is_empty());
    }
}

#[tokio::test]
async fn f03_without_a_token_nothing_is_verified_or_settled() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).with_tokens().start().await;
    let request = Payment::new(&sandbox).request();
    let text = body(&request).to_string();
    let wrong = format!("Bearer {}", ALICE.to_uppercase());
    let basic = format!("Basic {ALICE}");
    for operation in ["verify", "settle"] {
        for value in ["", "Bearer", "Bearer x", ALICE, &wrong, &basic] {
            let reply = server
                .post(operation, text.clone(), &[("authorization", value)])
                .await;
            assert_eq!(
                (reply.status, reply.code()),
                (401, "unauthorized"),
                "{value}"
            );
            assert_eq!(reply.headers["www-authenticate"], "Bearer");
        }
        assert_eq!(server.post(operation, text.clone(), &[]).await.status, 401);
    }
    assert_eq!(server.sent(), 0);
    assert!(server.settle_as(&request, ALICE, None).await.success());
    assert_eq!(server.get("supported").await.status, 200);
}

#[tokio::test]
async fn f03_wrong_tokens_cannot_be_tried_at_will() {
    let (sandbox, _) = sandbox();
    let mut setup = Setup::on(&sandbox).with_tokens();
    setup.options.limits.client = Rate {
        per_minute: 1,
        burst: 3,
    };
    let server = setup.start().await;
    for at in 0..5 {
        let reply = server
            .post("settle", "{}", &[("authorization", "Bearer guess")])
            .await;
        assert_eq!(reply.status, if at < 3 { 401 } else { 429 });
        assert_eq!(reply.retry_after().is_some(), at >= 3);
    }
    let request = Payment::new(&sandbox).request();
    let settled = server.settle_as(&request, ALICE, None).await;
    assert!(
        settled.success(),
        "guesses do not lock others out: {settled:?}"
    );
}

#[tokio::test]
async fn f03_a_server_that_strangers_can_reach_starts_only_when_that_is_meant() {
    let (sandbox, _) = sandbox();
    let open: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let start = async |options: Options| {
        let listener = TcpListener::bind(open).await.unwrap();
        serve(listener, vec![sandbox.facilitator()], options)
    };
    assert!(matches!(
        start(Options::default()).await,
        Err(ServeError::Open(_))
    ));
    let mut public = Options::default();
    public.public = true;
    assert!(start(public).await.is_ok());
    let guarded = Setup::on(&sandbox).with_tokens().options;
    assert!(start(guarded).await.is_ok());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nothing = serve(listener, Vec::new(), Options::default());
    assert!(matches!(nothing, Err(ServeError::NoNetwork)));
}

#[tokio::test]
async fn f03_every_client_has_a_rate_and_proxies_are_believed_only_when_trusted() {
    let (sandbox, _) = sandbox();
    for (proxies, refused) in [(0, true), (1, false)] {
        let mut setup = Setup::on(&sandbox);
        setup.options.limits.client = Rate {
            per_minute: 1,
            burst: 2,
        };
        setup.options.trusted_proxies = proxies;
        let server = setup.start().await;
        let mut last = None;
        for client in 0..4 {
            let address = format!("198.51.100.{client}");
            let reply = server
                .post("verify", "{}", &[("x-forwarded-for", &address)])
                .await;
            last = Some(reply);
        }
        let last = last.unwrap();
        assert_eq!(last.status == 429, refused, "{proxies} proxies: {last:?}");
        assert!(
            !refused
                || last
                    .retry_after()
                    .is_some_and(|seconds| (1..=60).contains(&seconds))
        );
    }
}

#[tokio::test]
async fn f03_a_payer_has_a_rate_that_others_cannot_use_up() {
    let (sandbox, _) = sandbox();
    let mut setup = Setup::on(&sandbox).with_tokens();
    setup.options.limits.payer = Rate {
        per_minute: 1,
        burst: 2,
    };
    let server = setup.start().await;
    let [_, _, _, mallory, ..] = sandbox.accounts();
    let verify = async |payment: Payment, token: &str| {
        let bearer = format!("Bearer {token}");
        let text = body(&payment.request()).to_string();
        server
            .post("verify", text, &[("authorization", &bearer)])
            .await
    };
    for at in 0..4 {
        // Signed by somebody else in the payer's name.
        let forged = Payment {
            payer: mallory.clone(),
            ..Payment::new(&sandbox)
        };
        let reply = verify(forged, server::BOB).await;
        assert_eq!(reply.status, if at < 2 { 200 } else { 429 }, "{reply:?}");
    }
    for at in 0..3 {
        let reply = verify(
            Payment::new(&sandbox),
            if at == 0 { ALICE } else { server::BOB },
        )
        .await;
        assert_eq!(reply.status, if at < 2 { 200 } else { 429 }, "{reply:?}");
    }
}

/// The status of whatever comes back on a connection, or nothing when it is closed.
async fn status_of(stream: &mut TcpStream) -> Option<u16> {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await;
    read.expect("the server ends the connection").ok()?;
    let line = String::from_utf8_lossy(&answer);
    line.split_whitespace().nth(1)?.parse().ok()
}

async fn raw(server: &Server, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.running.address()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

#[tokio::test]
async fn f09_bodies_are_capped_whether_announced_or_not() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).start().await;
    let large = vec![b' '; 64 * 1024 + 1];
    let reply = server.post("settle", large.clone(), &[]).await;
    assert_eq!((reply.status, reply.code()), (413, "body_too_large"));
    let head = "POST /settle HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n10001\r\n";
    let bytes = [head.as_bytes(), &large, b"\r\n0\r\n\r\n"].concat();
    assert_eq!(status_of(&mut raw(&server, &bytes).await).await, Some(413));
}

#[tokio::test]
async fn f09_slow_heads_and_bodies_end_in_time() {
    let (sandbox, _) = sandbox();
    let mut setup = Setup::on(&sandbox);
    setup.options.limits.header_seconds = 1;
    setup.options.limits.body_seconds = 1;
    let server = setup.start().await;
    let mut head = raw(&server, b"POST /settle HTTP/1.1\r\nhost: x\r\nx: ").await;
    assert!(matches!(status_of(&mut head).await, None | Some(408)));
    let mut nothing = raw(&server, b"").await;
    assert!(matches!(status_of(&mut nothing).await, None | Some(408)));
    let slow =
        b"POST /settle HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 100\r\n\r\n{";
    assert_eq!(status_of(&mut raw(&server, slow).await).await, Some(408));
    let many = format!("POST /settle HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(100));
    assert_eq!(
        status_of(&mut raw(&server, many.as_bytes()).await).await,
        Some(431)
    );
}

#[tokio::test]
async fn f09_calls_beyond_the_cap_are_told_to_come_back() {
    let (sandbox, _) = sandbox();
    let mut setup = Setup::on(&sandbox);
    setup.options.limits.max_in_flight = 1;
    setup.options.limits.body_seconds = 20;
    let server = setup.start().await;
    // Holds the only place with a body that does not come.
    let _slow = raw(
        &server,
        b"POST /settle HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{",
    )
    .await;
    let mut status = 0;
    for _ in 0..200 {
        let reply = server.verify(&Payment::new(&sandbox).request()).await;
        status = reply.status;
        if status == 503 {
            assert_eq!((reply.code(), reply.retry_after()), ("busy", Some(1)));
            break;
        }
    }
    assert_eq!(status, 503);
}

#[tokio::test]
async fn a_chain_that_cannot_be_asked_is_503_and_its_words_stay_here() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).start().await;
    let request = Payment::new(&sandbox).request();
    sandbox.set_unreachable(true);
    let verified = server.verify(&request).await;
    assert_eq!(
        (verified.status, verified.json),
        (503, json!({ "error": "chain_unavailable" }))
    );
    let settled = server.settle(&request).await;
    assert_eq!(
        (settled.status, settled.code()),
        (503, "settlement_pending")
    );
    assert!(settled.retry_after().is_some());
    assert_eq!(settled.json["transaction"], "");
    sandbox.set_unreachable(false);
    assert!(server.settle(&request).await.success());
}

#[tokio::test]
async fn no_text_of_a_contract_or_node_is_sent() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).start().await;
    let rich = Payment {
        value: 2_000_000_000,
        ..Payment::new(&sandbox)
    }
    .request();
    let payer = sandbox.payer().to_string();
    let code = "invalid_exact_evm_insufficient_balance";
    let expected = json!({ "isValid": false, "invalidReason": code, "payer": payer });
    assert_eq!(server.verify(&rich).await.json, expected);
    let expected = json!({
        "success": false, "errorReason": code, "payer": payer, "transaction": "", "network": SEPOLIA,
    });
    assert_eq!(server.settle(&rich).await.json, expected);
}

#[tokio::test]
async fn another_network_is_refused_by_its_name() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).start().await;
    for (network, echoed) in [("eip155:1", "eip155:1"), ("solana:\u{7}", "")] {
        let mut request = Payment::new(&sandbox).request();
        let (mut terms, mut payload) =
            (request.requirements.to_value(), request.payload.to_value());
        terms["network"] = json!(network);
        payload["accepted"]["network"] = json!(network);
        (request.requirements, request.payload) = (terms.into(), payload.into());
        let settled = server.settle(&request).await;
        assert_eq!((settled.status, settled.code()), (200, "invalid_network"));
        assert_eq!(settled.json["network"], echoed);
    }
}

#[tokio::test]
async fn shutdown_answers_what_is_there_and_ends_what_waits() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).start().await;
    sandbox.set_automine(false);
    let request = Payment::new(&sandbox).request();
    let (client, url) = (server.client.clone(), format!("{}/settle", server.url));
    let text = body(&request).to_string().into_bytes();
    let call = tokio::spawn(async move { send(&client, Method::POST, &url, text, &[]).await });
    while sandbox
        .chain()
        .transaction_count(
            sandbox.settler(),
            x402_runtime::evm::chain::BlockRef::Pending,
        )
        .await
        .unwrap()
        == 0
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let address = server.running.address();
    let stopping = tokio::spawn(server.running.shutdown());
    while TcpStream::connect(address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    sandbox.set_automine(true);
    sandbox.mine();
    let settled = call.await.unwrap();
    assert!(settled.success(), "{settled:?}");
    assert!(stopping.await.unwrap(), "everything ended");
}
