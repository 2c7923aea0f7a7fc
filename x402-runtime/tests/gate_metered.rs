//! Metered prices at the gate: what is offered, what is counted, what is settled, and what a stream tells at its end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "common/all.rs"]
mod common;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use alloy_primitives::{Address, U256, address};
use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use common::double::refusal;
use common::shop::{Shop, builder, request, weather};
use common::{Double, NOW, PAY_TO, Script, Stand};
use futures_util::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, SecretKey};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;
use x402_runtime::clock::ManualClock;
use x402_runtime::ledger::{Ledger, MemoryLedger, SqliteLedger, State as Stage};
use x402_runtime::model::evm::permit2::{self, TokenPermissions, UPTO_PERMIT2_PROXY, Witness};
use x402_runtime::model::evm::{Permit2Authorization, Permit2Payload, Signature};
use x402_runtime::model::wire::{PaymentRequired, SettleResponse, SupportedKind, headers};
use x402_runtime::{Meter, paid};

const FACILITATOR: Address = address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
/// 0.02 of a token with 6 decimals.
const CEILING: u128 = 20_000;

#[derive(Deserialize)]
struct Job {
    n: u64,
    #[serde(default)]
    how: String,
}

/// Counts what it is asked to.
#[paid(POST "/count", price = upto("0.02 USDC", base = "0.001 USDC", units(tokens = "0.000002 USDC")))]
async fn count(State(shop): State<Shop>, meter: Meter, Query(job): Query<Job>) -> Response {
    shop.runs.fetch_add(1, Ordering::SeqCst);
    meter.add("tokens", job.n);
    match job.how.as_str() {
        "fail" => StatusCode::BAD_GATEWAY.into_response(),
        "other" => {
            meter.add("words", 1);
            "other".into_response()
        }
        "spent" => meter.is_spent().to_string().into_response(),
        _ => "counted".into_response(),
    }
}

#[derive(Serialize)]
struct Told {
    usage: Usage,
}

#[derive(Serialize)]
struct Usage {
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<u64>,
}

/// Says what it used in its answer.
#[paid(GET "/tell", price = upto("0.02 USDC", units(tokens = "0.000002 USDC")))]
async fn tell(Query(job): Query<Job>) -> Json<Told> {
    let tokens = (job.how != "forget").then_some(job.n);
    Json(Told {
        usage: Usage { tokens },
    })
}

#[derive(Deserialize)]
struct Prompt {
    text: String,
}

/// Its ceiling and its price follow the length of the text.
#[paid(
    POST "/shout",
    price = upto("0.02 USDC", units(chars = unit("0.001 USDC", per = 10, meter = chars(body("/text")), estimate = chars(body("/text"))))),
)]
async fn shout(body: Bytes) -> String {
    let prompt: Prompt = serde_json::from_slice(&body).unwrap();
    prompt.text.to_uppercase()
}

/// Tells words one by one.
#[paid(GET "/words", price = upto("0.02 USDC", base = "0.001 USDC", units(words = "0.002 USDC")))]
async fn words(State(shop): State<Shop>, meter: Meter, Query(job): Query<Job>) -> Response {
    shop.runs.fetch_add(1, Ordering::SeqCst);
    if job.how == "refuse" {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let end = job.n;
    let chunks = stream::unfold(0, move |n| {
        let (meter, shop, how) = (meter.clone(), shop.clone(), job.how.clone());
        async move {
            if n == end {
                return match how.as_str() {
                    "break" => Some((Err(std::io::Error::other("CANARY")), n + 1)),
                    "panic" => panic!("CANARY panic text"),
                    "hang" => std::future::pending().await,
                    "wait" => {
                        shop.door.acquire().await.unwrap().forget();
                        None
                    }
                    _ => None,
                };
            }
            meter.add("words", 1);
            Some((Ok(Bytes::from(format!("data: {n}\n\n"))), n + 1))
        }
    });
    let kind = [(CONTENT_TYPE, "text/event-stream")];
    // An error ends the stream for good.
    let chunks = chunks.scan(false, |over, chunk| {
        let last = std::mem::replace(over, chunk.is_err());
        std::future::ready((!last).then_some(chunk))
    });
    (kind, Body::from_stream(chunks)).into_response()
}

/// Tells words and counts nothing.
#[paid(GET "/uncounted", price = upto("0.02 USDC", units(words = "0.002 USDC")))]
async fn uncounted() -> Response {
    let chunks = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"data: 1\n\n"))]);
    let kind = [(CONTENT_TYPE, "text/event-stream")];
    (kind, Body::from_stream(chunks)).into_response()
}

async fn stand_on(ledger: Arc<dyn Ledger>) -> Stand {
    let (double, clock) = (
        Arc::new(Double::default()),
        Arc::new(ManualClock::at_seconds(NOW)),
    );
    let named = Map::from_iter([("facilitatorAddress".to_owned(), json!(FACILITATOR))]);
    let kind = SupportedKind {
        x402_version: 2,
        scheme: "upto".into(),
        network: "eip155:84532".into(),
        extra: Some(named),
    };
    let mut supported = double.supported.lock().unwrap().clone().unwrap();
    supported.kinds.push(kind);
    *double.supported.lock().unwrap() = Ok(supported);
    let builder = builder(&double, &clock, ledger)
        .answer_cap(200)
        .settle_budget(Duration::from_secs(2))
        .mount(weather)
        .mount(count)
        .mount(tell)
        .mount(shout)
        .mount(words)
        .mount(uncounted);
    Stand::of(builder, double, clock).await
}

async fn stand() -> Stand {
    stand_on(Arc::new(MemoryLedger::default())).await
}

fn authorization(terms: &PaymentRequired, nonce: u64) -> Permit2Authorization {
    let offer = terms.accepts[0].value();
    let text = |at: &str| offer.pointer(at).and_then(Value::as_str).unwrap();
    Permit2Authorization {
        from: payer(&key()),
        permitted: TokenPermissions {
            token: text("/asset").parse().unwrap(),
            amount: text("/amount").parse().unwrap(),
        },
        spender: UPTO_PERMIT2_PROXY,
        nonce: U256::from(nonce),
        deadline: U256::from(NOW + 300),
        witness: Witness::Upto {
            to: PAY_TO.parse().unwrap(),
            facilitator: FACILITATOR,
            valid_after: U256::ZERO,
        },
    }
}

fn key() -> SecretKey {
    SecretKey::from_secret_bytes([9; 32]).unwrap()
}

fn payer(key: &SecretKey) -> Address {
    let point = key.public_key().serialize_uncompressed();
    Address::from_word(alloy_primitives::keccak256(&point[1..]))
}

fn sign(terms: &PaymentRequired, authorization: Permit2Authorization) -> String {
    let digest = authorization.digest(&permit2::separator(84_532));
    let signed =
        RecoverableSignature::sign_ecdsa_recoverable(Message::from_digest(digest.0), &key());
    let (id, compact) = signed.serialize_compact();
    let mut bytes = compact.to_vec();
    bytes.push(27 + id.to_u8());
    let payload = Permit2Payload {
        signature: Signature::new(bytes).unwrap(),
        authorization,
    };
    headers::encode(&json!({
        "x402Version": 2,
        "resource": terms.resource,
        "accepted": terms.accepts[0].value(),
        "payload": payload.to_json(),
    }))
    .unwrap()
}

async fn pay(stand: &Stand, method: &str, path: &str, body: &str, nonce: u64) -> String {
    let terms = stand.call(method, path, None, body).await.terms();
    sign(&terms, authorization(&terms, nonce))
}

/// The amounts that were settled.
fn settled(stand: &Stand) -> Vec<u128> {
    let requests = stand.double.requests.lock().unwrap();
    let amounts = requests.iter().map(|request| request.amount().unwrap());
    amounts
        .map(|amount| amount.to_string().parse().unwrap())
        .collect()
}

async fn stage(
    stand: &Stand,
    ledger: &dyn Ledger,
    path: &str,
    nonce: u64,
) -> Option<(Stage, String)> {
    let terms = stand.terms("GET", path).await;
    let signed = authorization(&terms, nonce);
    let record = ledger
        .get(&x402_runtime::ledger::PaymentKey {
            network: x402_runtime::Network::BASE_SEPOLIA,
            asset: signed.permitted.token,
            payer: signed.from,
            nonce: U256::from(nonce).into(),
        })
        .await
        .unwrap()?;
    Some((record.state, record.amount.to_string()))
}

#[tokio::test]
async fn terms_ask_for_the_ceiling_and_name_who_settles() {
    let stand = stand().await;
    let terms = stand.terms("POST", "/count").await;
    let offer = terms.accepts[0].value().clone();
    assert_eq!(offer["scheme"], "upto");
    assert_eq!(offer["amount"], CEILING.to_string());
    assert_eq!(offer["extra"]["assetTransferMethod"], "permit2");
    assert_eq!(
        offer["extra"]["facilitatorAddress"],
        json!(FACILITATOR.to_checksum(None))
    );
    let body = stand.call("POST", "/count", None, "").await.json();
    assert_eq!(
        body["priceBounds"],
        json!({"min": "0.001 USDC", "max": "0.02 USDC"})
    );
    // A flat price beside it is offered as ever.
    let flat = stand.terms("GET", "/weather/oslo").await;
    assert_eq!(flat.accepts[0].value()["scheme"], "exact");
}

#[tokio::test]
async fn what_was_counted_is_settled_and_told() {
    let stand = stand().await;
    let payment = pay(&stand, "POST", "/count?n=1000", "", 1).await;
    let answer = stand
        .call("POST", "/count?n=1000", Some(&payment), "")
        .await;
    assert_eq!((answer.status, &*answer.body), (200, b"counted".as_slice()));
    // 0.001 and a thousand times 0.000002.
    assert_eq!(settled(&stand), [3_000]);
    assert_eq!(answer.settlement().unwrap().amount.as_deref(), Some("3000"));
    let again = stand
        .call("POST", "/count?n=1000", Some(&payment), "")
        .await;
    assert_eq!(again, answer);
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
}

#[tokio::test]
async fn s9_never_more_than_was_signed() {
    let stand = stand().await;
    for (nonce, n) in [(1, 9_499), (2, 9_500), (3, 9_501), (4, u64::MAX)] {
        let path = format!("/count?n={n}&how=spent");
        let payment = pay(&stand, "POST", &path, "", nonce).await;
        let answer = stand.call("POST", &path, Some(&payment), "").await;
        let spent = n >= 9_500;
        assert_eq!(answer.body, spent.to_string(), "{n}");
    }
    assert_eq!(settled(&stand), [19_998, CEILING, CEILING, CEILING]);
}

#[tokio::test]
async fn a_failed_handler_costs_nothing_base_included() {
    let stand = stand().await;
    let payment = pay(&stand, "POST", "/count?n=5&how=fail", "", 1).await;
    let answer = stand
        .call("POST", "/count?n=5&how=fail", Some(&payment), "")
        .await;
    assert_eq!(answer.status, 502);
    assert_eq!(stand.double.settles(), 0);
}

#[tokio::test]
async fn counting_what_is_not_in_the_price_fails_the_call() {
    let stand = stand().await;
    let payment = pay(&stand, "POST", "/count?n=5&how=other", "", 1).await;
    let answer = stand
        .call("POST", "/count?n=5&how=other", Some(&payment), "")
        .await;
    assert_eq!(answer.brief(), (500, "usage_unmetered".to_owned()));
    assert_eq!(answer.json()["charged"], false);
    assert_eq!(stand.double.settles(), 0);
}

#[tokio::test]
async fn the_answer_tells_what_was_used_and_must() {
    let stand = stand().await;
    let payment = pay(&stand, "GET", "/tell?n=10", "", 1).await;
    assert_eq!(stand.get("/tell?n=10", Some(&payment)).await.status, 200);
    assert_eq!(settled(&stand), [20]);
    let payment = pay(&stand, "GET", "/tell?n=10&how=forget", "", 2).await;
    let answer = stand.get("/tell?n=10&how=forget", Some(&payment)).await;
    assert_eq!(answer.brief(), (500, "usage_unmetered".to_owned()));
    assert_eq!(settled(&stand), [20]);
}

#[tokio::test]
async fn what_costs_nothing_is_not_settled_and_still_answered_once() {
    for ledger in ledgers() {
        let stand = stand_on(Arc::clone(&ledger)).await;
        let payment = pay(&stand, "GET", "/tell?n=0", "", 1).await;
        let answer = stand.get("/tell?n=0", Some(&payment)).await;
        assert_eq!(answer.status, 200);
        let told = answer.settlement().unwrap();
        assert_eq!((told.success, &*told.transaction), (true, ""));
        assert_eq!(told.amount.as_deref(), Some("0"));
        assert_eq!(stand.get("/tell?n=0", Some(&payment)).await, answer);
        assert_eq!(stand.double.settles(), 0);
        let record = stage(&stand, &*ledger, "/tell", 1).await;
        assert_eq!(record, Some((Stage::Final, "0".to_owned())));
    }
}

/// A new file, which the system removes with its folder of temporary files.
fn file() -> std::path::PathBuf {
    let folder = tempfile::tempdir().unwrap().keep();
    folder.join("ledger.sqlite")
}

fn ledgers() -> [Arc<dyn Ledger>; 2] {
    [
        Arc::new(MemoryLedger::default()),
        Arc::new(SqliteLedger::open(file()).unwrap()),
    ]
}

#[tokio::test]
async fn the_request_says_how_much_is_signed_at_most() {
    let stand = stand().await;
    let body = json!({"text": "twelve chars"}).to_string();
    let terms = stand.call("POST", "/shout", None, &body).await.terms();
    assert_eq!(terms.accepts[0].value()["amount"], "1200");
    let payment = sign(&terms, authorization(&terms, 1));
    let answer = stand.call("POST", "/shout", Some(&payment), &body).await;
    assert_eq!(
        (answer.status, &*answer.body),
        (200, b"TWELVE CHARS".as_slice())
    );
    assert_eq!(settled(&stand), [1_200]);
    // The ceiling of a short text pays for no long one.
    let long = json!({"text": "more than twelve chars"}).to_string();
    let payment = sign(&terms, authorization(&terms, 2));
    let answer = stand.call("POST", "/shout", Some(&payment), &long).await;
    assert_eq!(answer.status, 402);
    assert_eq!(answer.terms().accepts[0].value()["amount"], "2200");
    // A request that decides nothing is told the ceiling of the price.
    let bare = stand.call("POST", "/shout", None, "").await.terms();
    assert_eq!(bare.accepts[0].value()["amount"], CEILING.to_string());
}

#[tokio::test]
async fn payments_for_another_facilitator_or_scheme_are_refused() {
    let stand = stand().await;
    let terms = stand.terms("POST", "/count?n=1").await;
    let good = authorization(&terms, 1);
    let upto = |facilitator| Witness::Upto {
        to: PAY_TO.parse().unwrap(),
        facilitator,
        valid_after: U256::ZERO,
    };
    let exact = Witness::Exact {
        to: PAY_TO.parse().unwrap(),
        valid_after: U256::ZERO,
    };
    let less = TokenPermissions {
        amount: U256::from(CEILING - 1),
        ..good.permitted
    };
    let cases = [
        (
            Permit2Authorization {
                witness: upto(Address::repeat_byte(1)),
                ..good
            },
            "payload_malformed",
        ),
        (
            Permit2Authorization {
                witness: exact,
                ..good
            },
            "payload_malformed",
        ),
        (
            Permit2Authorization {
                permitted: less,
                ..good
            },
            "value_mismatch",
        ),
        (
            Permit2Authorization {
                spender: permit2::EXACT_PERMIT2_PROXY,
                ..good
            },
            "payload_malformed",
        ),
    ];
    for (signed, code) in cases {
        let answer = stand
            .call("POST", "/count?n=1", Some(&sign(&terms, signed)), "")
            .await;
        assert_eq!(answer.brief(), (402, code.to_owned()), "{signed:?}");
    }
    stand.assert_untouched("refused payments");
}

#[tokio::test]
async fn a_facilitator_without_the_scheme_is_a_mistake_at_the_start() {
    let double = Arc::new(Double::default());
    let clock = Arc::new(ManualClock::at_seconds(NOW));
    let built = builder(&double, &clock, Arc::new(MemoryLedger::default()))
        .mount(count)
        .build()
        .await;
    let error = built.expect_err("a mistake").to_string();
    assert!(
        error.contains("`upto`") && error.contains("eip155:84532"),
        "{error}"
    );
}

/// The chunks of a stream, as they come.
async fn chunks(response: Response) -> Vec<String> {
    let body = response.into_body().into_data_stream();
    let texts = body.map(|chunk| String::from_utf8(chunk.unwrap().to_vec()).unwrap());
    texts.collect().await
}

async fn open(stand: &Stand, path: &str, payment: &str) -> Response {
    let request = request("GET", path, Some(payment), "");
    stand.app.clone().oneshot(request).await.unwrap()
}

fn told(event: &str) -> SettleResponse {
    let data = event.strip_prefix("event: x402-payment-response\ndata: ");
    let data = data
        .and_then(|data| data.strip_suffix("\n\n"))
        .expect(event);
    headers::decode(data.as_bytes(), usize::MAX).unwrap()
}

#[tokio::test]
async fn a_stream_is_settled_at_its_end_and_its_last_event_says_so() {
    for ledger in ledgers() {
        let stand = stand_on(Arc::clone(&ledger)).await;
        let payment = pay(&stand, "GET", "/words?n=3", "", 1).await;
        let response = open(&stand, "/words?n=3", &payment).await;
        assert_eq!(response.status(), 200);
        assert!(
            response.headers()["cache-control"]
                .to_str()
                .unwrap()
                .contains("no-store")
        );
        let events = chunks(response).await;
        assert_eq!(events[..3], ["data: 0\n\n", "data: 1\n\n", "data: 2\n\n"]);
        let told = told(&events[3]);
        assert_eq!((told.success, told.amount.as_deref()), (true, Some("7000")));
        assert_eq!(settled(&stand), [7_000]);
        // Whoever lost it gets all of it again, and is not charged again.
        let again = stand.get("/words?n=3", Some(&payment)).await;
        assert_eq!(again.body, events[..3].concat());
        assert_eq!(again.settlement().unwrap(), told);
        assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
    }
}

#[tokio::test]
async fn what_is_due_is_recorded_before_the_first_byte_leaves() {
    for ledger in ledgers() {
        let stand = stand_on(Arc::clone(&ledger)).await;
        let payment = pay(&stand, "GET", "/words?n=2&how=hang", "", 1).await;
        let response = open(&stand, "/words?n=2&how=hang", &payment).await;
        // Nothing of the body was read yet.
        let (state, due) = stage(&stand, &*ledger, "/words", 1).await.unwrap();
        assert_eq!(state, Stage::Served);
        assert!(due == "1000" || due == "3000" || due == "5000", "{due}");
        // Meanwhile nobody else gets it, nor settles it.
        let other = stand.get("/words?n=2&how=hang", Some(&payment)).await;
        assert_eq!(other.brief(), (409, "payment_in_progress".to_owned()));
        assert_eq!(stand.double.settles(), 0);
        drop(response);
        settle_count(&stand, 1).await;
    }
}

async fn settle_count(stand: &Stand, count: usize) {
    for _ in 0..1_000 {
        if stand.double.settles() == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{} of {count} settlements", stand.double.settles());
}

#[tokio::test]
async fn whoever_goes_away_pays_for_what_was_counted_and_can_fetch_it() {
    let stand = stand().await;
    let path = "/words?n=2&how=hang";
    let payment = pay(&stand, "GET", path, "", 1).await;
    let mut body = open(&stand, path, &payment).await.into_body();
    for _ in 0..2 {
        body.frame().await.unwrap().unwrap();
    }
    drop(body);
    settle_count(&stand, 1).await;
    assert_eq!(settled(&stand), [5_000]);
    let mut fetched = stand.get(path, Some(&payment)).await;
    while fetched.status == 409 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        fetched = stand.get(path, Some(&payment)).await;
    }
    assert_eq!(
        (fetched.status, &*fetched.body),
        (200, b"data: 0\n\ndata: 1\n\n".as_slice())
    );
    assert_eq!(
        fetched.settlement().unwrap().amount.as_deref(),
        Some("5000")
    );
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
}

#[tokio::test]
async fn a_stream_that_fails_is_not_charged() {
    for how in ["break", "panic"] {
        let stand = stand().await;
        let path = format!("/words?n=2&how={how}");
        let payment = pay(&stand, "GET", &path, "", 1).await;
        let events = chunks(open(&stand, &path, &payment).await).await;
        let last = events.last().unwrap();
        let problem = last
            .strip_prefix("event: x402-problem\ndata: ")
            .expect(last);
        let problem: Value = serde_json::from_str(problem).unwrap();
        assert_eq!(problem["code"], "handler_panicked");
        assert_eq!(problem["charged"], false);
        assert!(!events.concat().contains("CANARY"), "{events:?}");
        assert_eq!(stand.double.settles(), 0);
        // The payment is free again, as the problem says.
        chunks(open(&stand, &path, &payment).await).await;
        assert_eq!((stand.runs(), stand.double.settles()), (2, 0));
    }
}

#[tokio::test]
async fn a_stream_that_never_begins_is_any_failed_answer() {
    let stand = stand().await;
    let path = "/words?n=2&how=refuse";
    let payment = pay(&stand, "GET", path, "", 1).await;
    assert_eq!(stand.get(path, Some(&payment)).await.status, 502);
    assert_eq!(stand.double.settles(), 0);
}

#[tokio::test]
async fn a_stream_that_nobody_counts_never_leaves() {
    let stand = stand().await;
    let payment = pay(&stand, "GET", "/uncounted", "", 1).await;
    let answer = stand.get("/uncounted", Some(&payment)).await;
    assert_eq!(answer.brief(), (500, "usage_unmetered".to_owned()));
    assert_eq!(stand.double.settles(), 0);
}

#[tokio::test]
async fn a_refused_settlement_is_told_at_the_end_and_can_be_tried_again() {
    let stand = stand().await;
    stand
        .double
        .script([Script::Say(refusal("permit2_insufficient_balance"))]);
    let payment = pay(&stand, "GET", "/words?n=1", "", 1).await;
    let events = chunks(open(&stand, "/words?n=1", &payment).await).await;
    let told = told(events.last().unwrap());
    assert_eq!(told.success, false);
    assert_eq!(
        told.error_reason.as_deref(),
        Some("permit2_insufficient_balance")
    );
    let again = stand.get("/words?n=1", Some(&payment)).await;
    assert_eq!(
        (again.status, &*again.body),
        (200, b"data: 0\n\n".as_slice())
    );
    assert_eq!(settled(&stand), [3_000, 3_000]);
}

#[tokio::test]
async fn a_stream_longer_than_what_is_kept_leaves_whole_and_is_gone() {
    let stand = stand().await;
    // More than 200 bytes, and more than is signed.
    let payment = pay(&stand, "GET", "/words?n=40", "", 1).await;
    let events = chunks(open(&stand, "/words?n=40", &payment).await).await;
    assert_eq!(events.len(), 41);
    assert_eq!(told(&events[40]).amount.as_deref(), Some("20000"));
    let again = stand.get("/words?n=40", Some(&payment)).await;
    assert_eq!(again.brief(), (410, "answer_gone".to_owned()));
    assert_eq!(again.json()["charged"], true);
    assert_eq!(stand.double.settles(), 1);
}

#[tokio::test]
async fn a_stream_ends_before_its_payment_expires() {
    let stand = stand().await;
    let path = "/words?n=1&how=hang";
    let terms = stand.terms("GET", path).await;
    let mut signed = authorization(&terms, 1);
    // As short as it may be on arrival: two seconds, and what settling takes.
    signed.deadline = U256::from(NOW + 8);
    let payment = sign(&terms, signed);
    let started = std::time::Instant::now();
    let events = chunks(open(&stand, path, &payment).await).await;
    assert!(started.elapsed() < Duration::from_secs(9));
    assert_eq!(told(events.last().unwrap()).amount.as_deref(), Some("3000"));
    assert_eq!(settled(&stand), [3_000]);
}

#[tokio::test]
async fn c3_a_stream_whose_process_died_settles_what_was_recorded() {
    let ledger: Arc<dyn Ledger> = Arc::new(MemoryLedger::default());
    let stand = stand_on(Arc::clone(&ledger)).await;
    let path = "/words?n=1&how=hang";
    let payment = pay(&stand, "GET", path, "", 1).await;
    let mut body = open(&stand, path, &payment).await.into_body();
    body.frame().await.unwrap().unwrap();
    // As long as it lives it renews its lease; a second process sees none of it.
    let (_, due) = stage(&stand, &*ledger, "/words", 1).await.unwrap();
    let second = stand_on(Arc::clone(&ledger)).await;
    second.clock.advance_ms(60_000);
    let answer = second.get(path, Some(&payment)).await;
    // The answer is not there in full, and what left of it is paid for.
    assert_eq!(answer.brief(), (410, "answer_gone".to_owned()));
    assert_eq!(settled(&second), [due.parse::<u128>().unwrap()]);
    // The first one comes too late to charge anything else.
    drop(body);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(stand.double.settles(), 0);
}

#[tokio::test]
async fn shutting_down_ends_streams_and_settles_them() {
    let stand = stand().await;
    let path = "/words?n=1&how=hang";
    let payment = pay(&stand, "GET", path, "", 1).await;
    let response = open(&stand, path, &payment).await;
    let reading = tokio::spawn(chunks(response));
    stand.paywall.shutdown().await;
    let events = reading.await.unwrap();
    assert_eq!(told(events.last().unwrap()).success, true);
    assert_eq!(stand.double.settles(), 1);
}

#[tokio::test]
async fn g01_of_many_copies_of_a_payment_one_streams() {
    let stand = stand().await;
    let payment = pay(&stand, "GET", "/words?n=3", "", 1).await;
    let copies = (0..64).map(|_| async { stand.get("/words?n=3", Some(&payment)).await.status });
    let statuses = futures_util::future::join_all(copies).await;
    assert!(
        statuses.iter().all(|status| matches!(status, 200 | 409)),
        "{statuses:?}"
    );
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
}
