//! What is refused, with which code, before any work is done: hostile headers, payments, paths and facilitators.

#[path = "common/all.rs"]
mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use alloy_primitives::{Address, U256};
use axum::body::Body;
use axum::http::Request;
use common::buyer::encode;
use common::double::settlement;
use common::shop::request;
use common::{Answer, Buyer, Change, Double, NOW, Script, Stand};
use serde_json::{Value, json};
use x402_runtime::facilitator::{FacilitatorRequest, SettleOutcome};
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::model::wire::SettleResponse;

fn assert_untouched(stand: &Stand, what: &str) {
    assert_eq!((stand.runs(), stand.double.settles()), (0, 0), "{what}");
    assert_eq!(stand.shop.extracted.load(Ordering::SeqCst), 0, "{what}");
}

/// Sends a raw request line to a real server, because clients tidy paths up.
async fn raw(address: std::net::SocketAddr, path: &str) -> String {
    use std::io::{Read, Write};
    let head = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let exchange = move || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::task::spawn_blocking(exchange).await.unwrap()
}

#[tokio::test]
async fn g04_no_spelling_of_a_path_is_served_unpaid() {
    let stand = Stand::open().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = stand.app.clone();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut corpus: Vec<String> = Vec::new();
    for slash in ["/", "//", "///", "/./", "/../", "/%2F", "/%2f", "/%252F", "/%5C", "/\\", "/.%2F", "/;/", "/%00/", "/%"] {
        corpus.extend([
            format!("{slash}news"),
            format!("/news{slash}"),
            format!("/weather{slash}oslo"),
            format!("/weather/oslo{slash}"),
        ]);
    }
    corpus.extend(
        ["/NEWS", "/News", "/news?x=1", "/news#x", "/news;x", "/news%20", "/news%0a", "/%6eews", "/n%65ws", "/weather/%",
            "/weather/%zz", "/weather/..", "/weather/%2e%2e", "/weather/a%2Fb", "/weather/a%5Cb", "http://a/news",
            "http://a//news", "/weather/\u{e9}", "*", "/weather/oslo?PAYMENT-SIGNATURE=abc"]
        .map(str::to_owned),
    );
    assert!(corpus.len() >= 60);
    for path in &corpus {
        let answer = raw(address, path).await;
        assert!(!answer.starts_with("HTTP/1.1 2"), "{path}: {answer}");
    }
    assert_untouched(&stand, "the path corpus");
}

#[tokio::test]
async fn g05_only_a_true_settlement_is_one() {
    let base = || SettleResponse { network: "eip155:84532".into(), transaction: "0xab".into(), ..SettleResponse::default() };
    let says = |change: &dyn Fn(&mut SettleResponse)| {
        let mut response = SettleResponse { success: true, ..base() };
        change(&mut response);
        SettleOutcome::Settled(response)
    };
    let odd = [
        ("success false", SettleOutcome::Settled(base())),
        ("no transaction", says(&|r| r.transaction.clear())),
        ("blank transaction", says(&|r| r.transaction = "  ".into())),
        ("text for a transaction", says(&|r| r.transaction = "<script>".into())),
        ("long transaction", says(&|r| r.transaction = "a".repeat(1000))),
        ("other network", says(&|r| r.network = "eip155:8453".into())),
        ("no network", says(&|r| r.network.clear())),
        ("other payer", says(&|r| r.payer = Some(common::PAY_TO.into()))),
        ("payer is no address", says(&|r| r.payer = Some("me".into()))),
        ("refused with success", SettleOutcome::Refused(SettleResponse { success: true, ..base() })),
        (
            "refused as pending",
            SettleOutcome::Refused(SettleResponse { error_reason: Some("settlement_pending".into()), ..base() }),
        ),
        ("unknown", SettleOutcome::Unknown { transaction: Some("0xab".into()), reason: "CANARY".into() }),
    ];
    for (what, outcome) in odd {
        let stand = Stand::open().await;
        stand.double.script([Script::Say(outcome)]);
        let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
        let answer = stand.get("/news", Some(&payment)).await;
        assert_eq!(answer.brief(), (503, "settlement_pending".to_owned()), "{what}");
        assert_eq!(answer.json()["charged"], "maybe");
        assert!(answer.header("retry-after").is_some());
        assert!(answer.headers.get("payment-required").is_none(), "{what}: a fresh 402 would charge twice");
        assert!(answer.headers.get("payment-response").is_none(), "{what}");
        assert_no_canary(&answer);
    }
}

#[tokio::test]
async fn short_network_names_are_the_same_network() {
    let stand = Stand::open().await;
    let payment = Buyer::new(7).payment(&stand.terms("GET", "/news").await, NOW, &Change::default());
    let asked = FacilitatorRequest { x402_version: 2, requirements: payment["accepted"].clone(), payload: payment.clone() };
    let response = SettleResponse { network: "base-sepolia".into(), ..settlement(&asked) };
    stand.double.script([Script::Say(SettleOutcome::Settled(response))]);
    let answer = stand.get("/news", Some(&encode(&payment))).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.settlement().unwrap().network, "eip155:84532");
}

#[tokio::test]
async fn g07_every_change_of_the_accepted_terms_is_refused() {
    let stand = Stand::open().await;
    let payment = Buyer::new(7).payment(&stand.terms("GET", "/news").await, NOW, &Change::default());
    let change = |field: &str, value: Value| {
        let mut changed = payment.clone();
        changed["accepted"][field] = value;
        (field.to_owned(), changed)
    };
    let lower = |field: &str| json!(payment["accepted"][field].as_str().unwrap().to_lowercase());
    let mut changes = vec![
        change("scheme", json!("upto")),
        change("scheme", json!("Exact")),
        change("network", json!("eip155:8453")),
        change("network", json!("base-sepolia")),
        change("amount", json!("1")),
        change("amount", json!("010000")),
        change("amount", json!("10000.0")),
        change("amount", json!("1e4")),
        change("amount", json!("-10000")),
        change("amount", json!(10_000)),
        change("asset", lower("asset")),
        change("asset", json!(common::PAY_TO)),
        change("payTo", lower("payTo")),
        change("payTo", json!("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC")),
        change("maxTimeoutSeconds", json!(301)),
        change("maxTimeoutSeconds", json!("300")),
        change("extra", json!({})),
        change("extra", Value::Null),
        change("extra", json!({"name": "USD Coin", "version": "2"})),
        change("extra", json!({"name": "USDC", "version": 2})),
        change("unknownField", json!(1)),
    ];
    for field in ["scheme", "network", "amount", "asset", "payTo", "maxTimeoutSeconds"] {
        let mut without = payment.clone();
        without["accepted"].as_object_mut().unwrap().remove(field);
        changes.push((format!("no {field}"), without));
    }
    for accepted in [Value::Null, json!([]), json!("exact"), json!({})] {
        let mut changed = payment.clone();
        changed["accepted"] = accepted;
        changes.push(("accepted".to_owned(), changed));
    }
    for (what, changed) in changes {
        let answer = stand.get("/news", Some(&encode(&changed))).await;
        assert_eq!(answer.brief(), (402, "no_matching_requirements".to_owned()), "{what}");
        assert_eq!(answer.terms().error.as_deref(), Some("No matching payment requirements"));
        assert_untouched(&stand, &what);
    }
    // Adding to `extra`, and 300.0 for 300, changes nothing.
    let mut same = payment.clone();
    same["accepted"]["extra"]["note"] = json!("mine");
    same["accepted"]["maxTimeoutSeconds"] = json!(300.0);
    assert_eq!(stand.get("/news", Some(&encode(&same))).await.status, 200);
}

#[tokio::test]
async fn g08_authorization_must_be_exactly_what_is_offered() {
    let stand = Stand::open().await;
    let terms = stand.terms("GET", "/news").await;
    let buyer = Buyer::new(7);
    let changes = [
        (Change { value: Some(U256::from(9_999)), ..Change::default() }, "value_mismatch"),
        (Change { value: Some(U256::from(10_001)), ..Change::default() }, "value_mismatch"),
        (Change { value: Some(U256::ZERO), ..Change::default() }, "value_mismatch"),
        (Change { value: Some(U256::MAX), ..Change::default() }, "value_mismatch"),
        (Change { to: Some(Address::repeat_byte(1)), ..Change::default() }, "recipient_mismatch"),
        (Change { to: Some(Address::ZERO), ..Change::default() }, "recipient_mismatch"),
        (Change { from: Some(Address::repeat_byte(1)), ..Change::default() }, "invalid_signature"),
        (Change { from: Some(Address::ZERO), ..Change::default() }, "invalid_signature"),
        (Change { valid_before: Some(U256::ZERO), ..Change::default() }, "authorization_expired"),
    ];
    for (change, code) in changes {
        let answer = stand.get("/news", Some(&buyer.pay_with(&terms, NOW, &change))).await;
        assert_eq!(answer.brief(), (402, code.to_owned()), "{change:?}");
        assert!(answer.headers.get("payment-required").is_some());
        assert_untouched(&stand, code);
    }
}

#[tokio::test]
async fn payloads_of_the_wrong_shape_are_refused() {
    let stand = Stand::open().await;
    let payment = Buyer::new(7).payment(&stand.terms("GET", "/news").await, NOW, &Change::default());
    let mut table: Vec<(Value, &str)> = vec![
        (Value::Null, "payload_malformed"),
        (json!([]), "payload_malformed"),
        (json!({}), "payload_malformed"),
        (json!({"signature": "0x00"}), "payload_malformed"),
    ];
    for (pointer, value, code) in [
        ("/signature", json!(null), "payload_malformed"),
        ("/signature", json!(5), "payload_malformed"),
        ("/signature", json!("zz"), "payload_malformed"),
        ("/signature", json!(common::buyer::hex_of(&[0; 65])), "invalid_signature"),
        ("/signature", json!(common::buyer::hex_of(&[1; 64])), "invalid_signature"),
        ("/authorization", json!("x"), "payload_malformed"),
        ("/authorization/value", json!("1e4"), "payload_malformed"),
        ("/authorization/value", json!("-1"), "payload_malformed"),
        ("/authorization/value", json!(0.5), "payload_malformed"),
        ("/authorization/nonce", json!("0x00"), "payload_malformed"),
        ("/authorization/from", json!("0x00"), "payload_malformed"),
        ("/authorization/validBefore", json!(null), "payload_malformed"),
    ] {
        let mut payload = payment["payload"].clone();
        *payload.pointer_mut(pointer).unwrap() = value;
        table.push((payload, code));
    }
    for (payload, code) in table {
        let mut changed = payment.clone();
        changed["payload"] = payload;
        let answer = stand.get("/news", Some(&encode(&changed))).await;
        assert_eq!(answer.brief(), (402, code.to_owned()), "{changed}");
        assert_untouched(&stand, code);
    }
}

#[tokio::test]
async fn refused_signature_forms_and_wrappers() {
    let stand = Stand::open().await;
    let payment = Buyer::new(7).payment(&stand.terms("GET", "/news").await, NOW, &Change::default());
    let signature = payment["payload"]["signature"].as_str().unwrap();
    // v 27 or 28 becomes 0 or 1: recovery would accept it, the token does not.
    let v = if signature.ends_with("1b") { "00" } else { "01" };
    let mut low_v = payment.clone();
    low_v["payload"]["signature"] = json!(format!("{}{v}", &signature[..signature.len() - 2]));
    assert_eq!(stand.get("/news", Some(&encode(&low_v))).await.code(), "simulation_failed");
    let mut wrapped = payment.clone();
    wrapped["payload"]["signature"] = json!(format!("0x{}{}", "00".repeat(320), "6492".repeat(16)));
    assert_eq!(stand.get("/news", Some(&encode(&wrapped))).await.code(), "eip6492_factory_not_allowed");
    assert_untouched(&stand, "signature forms");
    assert_eq!(stand.double.verified.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn g16_contract_wallets_are_the_facilitators_word() {
    let stand = Stand::open().await;
    let terms = stand.terms("GET", "/news").await;
    let wallet = Change { from: Some(Address::repeat_byte(0x55)), ..Change::default() };
    let payment = Buyer::new(7).pay_with(&terms, NOW, &wallet);
    // Not a contract: nobody is asked to verify.
    assert_eq!(stand.get("/news", Some(&payment)).await.code(), "invalid_signature");
    assert_eq!(stand.double.verified.load(Ordering::SeqCst), 0);
    stand.double.contract.store(true, Ordering::SeqCst);
    let answer = stand.get("/news", Some(&payment)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(stand.double.verified.load(Ordering::SeqCst), 1);
    // Presented again it needs no second proof: by now its nonce is used.
    stand.double.refuse_check("invalid_exact_evm_nonce_already_used");
    assert_eq!(stand.get("/news", Some(&payment)).await, answer);
    let other = Buyer::new(7).pay_with(&terms, NOW, &wallet);
    assert_eq!(stand.get("/news", Some(&other)).await.code(), "nonce_already_used");
}

#[tokio::test]
async fn g13_exactly_one_payment_header() {
    let stand = Stand::open().await;
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    let with = |headers: &[(&'static str, String)]| {
        let mut request = request("GET", "/news", None, "");
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        request
    };
    let p = || payment.clone();
    let duplicate = (400, "duplicate_payment_header".to_owned());
    for headers in [
        vec![("payment-signature", p()), ("payment-signature", p())],
        vec![("payment-signature", format!("{},{}", p(), p()))],
        vec![("payment-signature", format!("{}, ", p()))],
        vec![("payment-signature", p()), ("x-payment", p())],
        vec![("payment-signature", String::new()), ("payment-signature", p())],
    ] {
        let answer = stand.send(with(&headers)).await;
        assert_eq!(answer.brief(), duplicate);
        assert!(answer.headers.get("payment-required").is_none());
    }
    let version_1 = stand.send(with(&[("x-payment", p())])).await;
    assert_eq!(version_1.brief(), (402, "unsupported_version".to_owned()));
    assert_eq!(version_1.terms().error.as_deref(), Some("Payment required"));
    for name in ["x402-payment", "authorization", "payment", "cookie"] {
        assert_eq!(stand.send(with(&[(name, p())])).await.code(), "payment_required", "{name}");
    }
    let in_url = format!("/news?PAYMENT-SIGNATURE={}", payment.replace('+', "%2B"));
    assert_eq!(stand.get(&in_url, None).await.code(), "payment_required");
    assert_untouched(&stand, "header combinations");
    assert_eq!(stand.send(with(&[("payment-signature", p())])).await.status, 200);
}

#[tokio::test]
async fn undecodable_headers_are_answered_with_the_terms() {
    let stand = Stand::open().await;
    for text in ["", "not base64!!", "e30===", "====", "bnVsbA==", "W10=", "NQ==", "InRleHQi", "e30-", "_w==", "/w==", "e30="] {
        let answer = stand.get("/news", Some(text)).await;
        assert_eq!(answer.status, 402, "{text}");
        let expected = if text == "e30=" { "unsupported_version" } else { "payment_undecodable" };
        assert_eq!(answer.code(), expected, "{text}");
        let error = answer.terms().error.unwrap();
        let expected = if text == "e30=" { "Unsupported x402 version: undefined" } else { "Payment required" };
        assert_eq!(error, expected, "{text}");
    }
    for (version, error) in [
        (json!(3), "Unsupported x402 version: 3"),
        (json!("2"), "Unsupported x402 version: undefined"),
        (json!(-1), "Unsupported x402 version: undefined"),
        (json!(2.5), "Unsupported x402 version: undefined"),
        (json!(1), "No matching payment requirements"),
    ] {
        let answer = stand.get("/news", Some(&encode(&json!({ "x402Version": version })))).await;
        assert_eq!((answer.status, answer.terms().error.as_deref()), (402, Some(error)));
    }
    assert_untouched(&stand, "undecodable headers");
}

#[tokio::test]
async fn g14_huge_and_deep_input_is_refused_early() {
    let stand = Stand::open_with(Arc::new(MemoryLedger::default()), |builder| builder.body_cap(64).answer_cap(1024)).await;
    let terms = stand.terms("POST", "/echo").await;
    let buyer = Buyer::new(7);
    let long = stand.get("/news", Some(&"A".repeat(16 * 1024 + 1))).await;
    assert_eq!(long.brief(), (431, "payment_too_large".to_owned()));
    assert_eq!(long.json()["limit"], 16 * 1024);
    for depth in [200, 4_000] {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let answer = stand.get("/news", Some(&encode(&Value::String(deep.clone())))).await;
        assert_eq!(answer.code(), "payment_undecodable");
        let mut bytes = br#"{"x402Version":2,"accepted":"#.to_vec();
        bytes.extend(deep.bytes());
        bytes.push(b'}');
        use base64::Engine as _;
        let header = base64::engine::general_purpose::STANDARD.encode(&bytes);
        assert_eq!(stand.get("/news", Some(&header)).await.code(), "payment_undecodable", "{depth}");
    }
    let mut padded = buyer.payment(&terms, NOW, &Change::default());
    padded["extensions"] = json!({ "x": "y".repeat(20_000) });
    assert_eq!(stand.get("/news", Some(&encode(&padded))).await.code(), "payment_too_large");

    let payment = buyer.pay(&terms, NOW);
    let declared = stand.call("POST", "/echo", Some(&payment), &"x".repeat(65)).await;
    assert_eq!(declared.brief(), (413, "body_too_large".to_owned()));
    let chunks = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(bytes::Bytes::from_static(&[b'x'; 60])));
    let endless = Request::post("/echo").header("payment-signature", &payment).body(Body::from_stream(chunks)).unwrap();
    assert_eq!(stand.send(endless).await.brief(), (413, "body_too_large".to_owned()));
    assert_untouched(&stand, "huge input");
    // The payment was not used up by any of it.
    assert_eq!(stand.call("POST", "/echo", Some(&payment), "short").await.status, 200);
    let answer = stand.get("/behave/huge", Some(&buyer.pay(&terms, NOW))).await;
    assert_eq!(answer.brief(), (500, "answer_too_large".to_owned()));
    assert_eq!(stand.double.settles(), 1);
}

#[tokio::test]
async fn body_that_stalls_or_breaks_costs_nothing() {
    let quick = std::time::Duration::from_millis(50);
    let stand = Stand::open_with(Arc::new(MemoryLedger::default()), |builder| builder.body_timeout(quick)).await;
    let payment = Buyer::new(7).pay(&stand.terms("POST", "/echo").await, NOW);
    let send = |body: Body| {
        stand.send(Request::post("/echo").header("payment-signature", &payment).body(body).unwrap())
    };
    let never = Body::from_stream(futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
    assert_eq!(send(never).await.brief(), (408, "body_timeout".to_owned()));
    let broken = Body::from_stream(futures_util::stream::iter([Err::<bytes::Bytes, _>(std::io::Error::other("cut"))]));
    assert_eq!(send(broken).await.brief(), (400, "body_unreadable".to_owned()));
    assert_untouched(&stand, "bodies");
    assert_eq!(send(Body::from("now")).await.status, 200);
}

#[tokio::test]
async fn g15_nothing_of_the_handler_runs_before_the_payment_is_good() {
    let stand = Stand::open().await;
    let buyer = Buyer::new(7);
    let terms = stand.terms("GET", "/weather/oslo").await;
    let forged = buyer.pay_with(&terms, NOW, &Change { from: Some(Address::repeat_byte(1)), ..Change::default() });
    stand.get("/weather/oslo", None).await;
    stand.get("/weather/oslo", Some(&forged)).await;
    stand.double.refuse_check("invalid_exact_evm_insufficient_balance");
    let poor = stand.get("/weather/oslo", Some(&buyer.pay(&terms, NOW))).await;
    assert_eq!(poor.brief(), (402, "insufficient_balance".to_owned()));
    assert_eq!(poor.terms().error.as_deref(), Some("invalid_exact_evm_insufficient_balance"));
    assert_no_canary(&poor);
    assert_untouched(&stand, "refused payments");
    *stand.double.verdict.lock().unwrap() = Ok(Default::default());
    stand.double.check_first.store(false, Ordering::SeqCst);
    assert_eq!(stand.get("/weather/oslo", Some(&buyer.pay(&terms, NOW))).await.status, 200);
    assert_eq!(stand.shop.extracted.load(Ordering::SeqCst), 1);
}

fn assert_no_canary(answer: &Answer) {
    let mut text = String::from_utf8_lossy(&answer.body).into_owned();
    for (name, value) in &answer.headers {
        text.push_str(name.as_str());
        text.push_str(&String::from_utf8_lossy(value.as_bytes()));
        text.push_str(&x402_runtime::model::wire::headers::decode_text(value.as_bytes(), 1 << 20).unwrap_or_default());
    }
    assert!(!text.contains("CANARY"), "{text}");
}

#[tokio::test]
async fn g18_nothing_private_in_any_refusal() {
    let stand = Stand::open().await;
    let terms = stand.terms("GET", "/behave/500?prompt=CANARY").await;
    assert_eq!(terms.resource.url, "https://api.example.com/behave/500");
    let buyer = Buyer::new(7);
    let path = |how: &str| format!("/behave/{how}?prompt=CANARY");
    for how in ["panic", "broken-body"] {
        let answer = stand.get(&path(how), Some(&buyer.pay(&terms, NOW))).await;
        assert_eq!(answer.brief(), (500, "handler_panicked".to_owned()), "{how}");
        assert_no_canary(&answer);
    }
    stand.double.script([Script::Say(common::double::refusal("invalid_x: CANARY text\nwith lines"))]);
    let refused = stand.get(&path("200"), Some(&buyer.pay(&terms, NOW))).await;
    assert_no_canary(&refused);
    assert_eq!(refused.settlement().unwrap().error_reason.as_deref(), Some("invalid_x"));
    stand.double.script([Script::Say(common::double::refusal("CANARY free text"))]);
    let refused = stand.get(&path("200"), Some(&buyer.pay(&terms, NOW))).await;
    assert_no_canary(&refused);
    assert_eq!(refused.settlement().unwrap().error_reason.as_deref(), Some("settlement_refused"));
    let mut request = request("GET", &path("200"), Some("CANARY"), "");
    request.headers_mut().insert("host", "CANARY.example".parse().unwrap());
    assert_no_canary(&stand.send(request).await);
    let _ = Double::default();
}
