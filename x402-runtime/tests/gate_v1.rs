//! Version 1 buyers at the same routes: terms in the body, `X-PAYMENT`, `X-PAYMENT-RESPONSE`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test fails by panicking, and a table is as long as it is"
)]

#[path = "common/all.rs"]
mod common;

use std::sync::Arc;

use alloy_primitives::{Address, U256, address};
use axum::body::Body;
use axum::http::Request;
use common::double::{Script, refusal, silence};
use common::shop::{PAY_TO, builder};
use common::{Answer, Buyer, Change, Double, NOW, Stand};
use serde_json::{Value, json};
use x402_runtime::clock::ManualClock;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::model::asset::{Asset, Eip712Name, TransferMethod};
use x402_runtime::model::network::Network;
use x402_runtime::model::wire::{SettleResponse, SupportedKind, headers};
use x402_runtime::paid;
use x402_runtime::paywall::Rail;

/// What a version 1 buyer sends: the same authorization, named by scheme and network only.
fn version_1(payment: &Value) -> Value {
    json!({"x402Version": 1, "scheme": "exact", "network": "base-sepolia", "payload": payment["payload"]})
}

fn request(path: &str, header: &str) -> Request<Body> {
    Request::get(path)
        .header("X-PAYMENT", header)
        .body(Body::empty())
        .unwrap()
}

async fn pay(stand: &Stand, path: &str, payment: &Value) -> Answer {
    let header = headers::encode_v1(payment).unwrap();
    stand.send(request(path, &header)).await
}

/// A version 1 payment for the first offer of a path.
async fn payment(stand: &Stand, path: &str, change: &Change) -> Value {
    let terms = stand.terms("GET", path).await;
    version_1(&Buyer::new(7).payment(&terms, NOW, change))
}

fn receipt(answer: &Answer) -> SettleResponse {
    assert!(answer.headers.get("payment-response").is_none());
    let header = answer.headers.get("x-payment-response").expect("a receipt");
    headers::decode_v1(header.as_bytes(), usize::MAX).unwrap()
}

/// A facilitator that lists these kinds.
fn knows(double: &Double, kinds: &[(u8, &str)]) {
    let kinds = kinds.iter().map(|(version, network)| SupportedKind {
        x402_version: *version,
        scheme: "exact".to_owned(),
        network: (*network).to_owned(),
        extra: None,
    });
    let mut supported = double.supported.lock().unwrap();
    supported.as_mut().unwrap().kinds = kinds.collect();
}

async fn stand_with(kinds: &[(u8, &str)]) -> Stand {
    let (double, clock) = (
        Arc::new(Double::default()),
        Arc::new(ManualClock::at_seconds(NOW)),
    );
    knows(&double, kinds);
    let builder = builder(&double, &clock, Arc::new(MemoryLedger::default()))
        .mount(common::shop::weather)
        .mount(common::shop::news)
        .mount(common::shop::behave);
    Stand::of(builder, double, clock).await
}

#[tokio::test]
async fn one_402_says_its_terms_in_both_versions() {
    let stand = Stand::open().await;
    for path in ["/news", "/weather/oslo", "/weather/%C3%A9\"x"] {
        let path = path.replace('"', "%22");
        let answer = stand.get(&path, None).await;
        let (header, body) = (answer.terms(), answer.json());
        let v2 = header.accepts[0].view().unwrap().clone();
        let entry = &body["accepts"][0];
        assert_eq!(body["x402Version"], 1);
        assert_eq!(body["error"], "X-PAYMENT header is required");
        assert_eq!(entry["scheme"], v2.scheme);
        assert_eq!(entry["network"], "base-sepolia");
        assert_eq!(entry["maxAmountRequired"], v2.amount);
        assert_eq!(entry["payTo"], v2.pay_to);
        assert_eq!(entry["asset"], v2.asset);
        assert_eq!(entry["maxTimeoutSeconds"], v2.max_timeout_seconds);
        assert_eq!(entry["extra"], json!(v2.extra));
        assert_eq!(entry["mimeType"], json!(header.resource.mime_type));
        assert_eq!(entry["description"], json!(header.resource.description));
        let input = json!({"type": "http", "method": "GET", "discoverable": true});
        assert_eq!(entry["outputSchema"]["input"], input);
        // What people and directories look for.
        let url = format!("https://api.example.com{path}");
        for found in [
            &entry["resource"],
            &body["resource"],
            &json!(header.resource.url),
        ] {
            assert_eq!(*found, url);
        }
        assert_eq!(body["code"], "payment_required");
        assert_eq!(body["action"], "pay");
        assert_eq!(body["charged"], false);
        assert_eq!(body["price"], "0.01 USDC");
        assert_eq!(
            body["manifest"],
            "https://api.example.com/.well-known/x402-manifest.json"
        );
    }
}

#[tokio::test]
async fn a_version_1_payment_buys_one_answer() {
    let stand = stand_with(&[(2, "eip155:84532"), (1, "base-sepolia")]).await;
    let payment = payment(&stand, "/weather/oslo", &Change::default()).await;
    let answer = pay(&stand, "/weather/oslo", &payment).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["city"], "oslo");
    assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    let receipt = receipt(&answer);
    assert!(receipt.is_settled());
    assert_eq!(receipt.network, "base-sepolia");
    assert_eq!(receipt.payer, Some(Buyer::new(7).checksum()));
    // The same payment again: the same bytes and the same receipt.
    assert_eq!(pay(&stand, "/weather/oslo", &payment).await, answer);
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
    // Another request: not with this payment.
    let other = pay(&stand, "/weather/bergen", &payment).await;
    assert_eq!(other.code(), "payment_reused_for_other_request");

    let asked = stand.double.requests.lock().unwrap()[0].clone();
    assert_eq!(asked.x402_version, 1);
    assert_eq!(asked.payload.to_value(), payment);
    let body = stand.get("/weather/oslo", None).await.json();
    assert_eq!(asked.requirements.to_value(), body["accepts"][0]);
}

#[tokio::test]
async fn a_facilitator_without_version_1_settles_the_same_authorization_in_version_2() {
    let stand = stand_with(&[(2, "eip155:*")]).await;
    let payment = payment(&stand, "/news", &Change::default()).await;
    let answer = pay(&stand, "/news", &payment).await;
    assert_eq!(answer.status, 200);
    assert_eq!(receipt(&answer).network, "base-sepolia");
    let asked = stand.double.requests.lock().unwrap()[0].clone();
    let offered = stand.terms("GET", "/news").await.accepts[0].value().clone();
    assert_eq!(asked.x402_version, 2);
    assert_eq!(asked.requirements.to_value(), offered);
    assert_eq!(
        asked.payload.to_value(),
        json!({"x402Version": 2, "accepted": offered, "payload": payment["payload"]})
    );
}

#[tokio::test]
async fn g01_one_authorization_in_both_versions_is_charged_once() {
    let stand = Arc::new(stand_with(&[(2, "eip155:*"), (1, "base-sepolia")]).await);
    let v2 = Buyer::new(7).payment(&stand.terms("GET", "/news").await, NOW, &Change::default());
    let v1 = version_1(&v2);
    let mut tasks = Vec::new();
    for number in 0..128 {
        let (stand, v1, v2) = (Arc::clone(&stand), v1.clone(), v2.clone());
        tasks.push(tokio::spawn(async move {
            if number % 2 == 0 {
                pay(&stand, "/news", &v1).await
            } else {
                stand
                    .get("/news", Some(&headers::encode(&v2).unwrap()))
                    .await
            }
        }));
    }
    for task in tasks {
        let answer = task.await.unwrap();
        match answer.status {
            200 => assert_eq!(answer.body, "news"),
            _ => assert_eq!(answer.brief(), (409, "payment_in_progress".to_owned())),
        }
    }
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
    // Each version is told in its own header.
    let old = pay(&stand, "/news", &v1).await;
    let new = stand
        .get("/news", Some(&headers::encode(&v2).unwrap()))
        .await;
    assert!(new.headers.get("x-payment-response").is_none());
    assert_eq!(
        receipt(&old).transaction,
        new.settlement().unwrap().transaction
    );
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
}

#[tokio::test]
async fn g13_both_headers_at_once_charge_nothing() {
    let stand = Stand::open().await;
    let v2 = Buyer::new(7).payment(&stand.terms("GET", "/news").await, NOW, &Change::default());
    let mut both = request("/news", &headers::encode_v1(&version_1(&v2)).unwrap());
    let header = headers::encode(&v2).unwrap();
    both.headers_mut()
        .insert("payment-signature", header.parse().unwrap());
    let answer = stand.send(both).await;
    assert_eq!(answer.brief(), (400, "duplicate_payment_header".to_owned()));
    stand.assert_untouched("both headers");
    assert_eq!(pay(&stand, "/news", &version_1(&v2)).await.status, 200);
    assert_eq!(stand.double.settles(), 1);
}

#[tokio::test]
async fn version_1_refusals_speak_version_1() {
    let stand = Stand::open().await;
    let payer = Buyer::new(7).checksum();
    let with = async |change: Change| payment(&stand, "/news", &change).await;
    let good = with(Change::default()).await;
    let spoilt = |key: &str, value: Value| {
        let mut payment = good.clone();
        payment[key] = value;
        payment
    };
    let mut unsigned = good.clone();
    unsigned["payload"]["signature"] = json!(format!("0x{}1b", "11".repeat(64)));
    let no_match = "Unable to find matching payment requirements";
    for (payment, code, error, by) in [
        (
            json!("text"),
            "payment_undecodable",
            "X-PAYMENT header is required",
            false,
        ),
        (
            spoilt("x402Version", json!(2)),
            "unsupported_version",
            "Unsupported x402 version: 2",
            false,
        ),
        (
            spoilt("x402Version", json!("1")),
            "unsupported_version",
            "Unsupported x402 version: undefined",
            false,
        ),
        (
            spoilt("network", json!("base")),
            "no_matching_requirements",
            no_match,
            true,
        ),
        (
            spoilt("network", json!("eip155:84532")),
            "no_matching_requirements",
            no_match,
            true,
        ),
        (
            spoilt("scheme", json!("upto")),
            "no_matching_requirements",
            no_match,
            true,
        ),
        (
            spoilt("payload", json!({})),
            "payload_malformed",
            "invalid_payload",
            false,
        ),
        (
            unsigned,
            "invalid_signature",
            "invalid_exact_evm_signature",
            true,
        ),
        (
            with(Change {
                to: Some(Address::repeat_byte(9)),
                ..Change::default()
            })
            .await,
            "recipient_mismatch",
            "invalid_exact_evm_recipient_mismatch",
            true,
        ),
        (
            with(Change {
                value: Some(U256::from(9_999)),
                ..Change::default()
            })
            .await,
            "value_mismatch",
            "invalid_exact_evm_authorization_value",
            true,
        ),
        (
            with(Change {
                valid_before: Some(U256::from(NOW + 3)),
                ..Change::default()
            })
            .await,
            "authorization_expired",
            "invalid_exact_evm_payload_authorization_valid_before",
            true,
        ),
        (
            with(Change {
                valid_after: Some(NOW + 60),
                ..Change::default()
            })
            .await,
            "authorization_not_yet_valid",
            "invalid_exact_evm_payload_authorization_valid_after",
            true,
        ),
    ] {
        let answer = pay(&stand, "/news", &payment).await;
        let body = answer.json();
        assert_eq!(answer.brief(), (402, code.to_owned()), "{payment}");
        assert_eq!(body["error"], error, "{code}");
        assert_eq!(body["x402Version"], 1, "{code}");
        assert_eq!(body["accepts"][0]["network"], "base-sepolia", "{code}");
        assert_eq!(
            body.get("payer"),
            by.then(|| json!(payer)).as_ref(),
            "{code}"
        );
        assert!(answer.headers.contains_key("payment-required"), "{code}");
    }
    stand.assert_untouched("refused version 1 payments");
    assert_eq!(pay(&stand, "/news", &good).await.status, 200);
}

#[tokio::test]
async fn g02_a_refused_settlement_is_told_in_the_body_without_a_receipt() {
    let stand = Stand::open().await;
    stand
        .double
        .script([Script::Say(refusal("insufficient_funds"))]);
    let payment = payment(&stand, "/news", &Change::default()).await;
    let answer = pay(&stand, "/news", &payment).await;
    assert_eq!(answer.brief(), (402, "settlement_refused".to_owned()));
    for header in ["x-payment-response", "payment-response", "payment-required"] {
        assert!(!answer.headers.contains_key(header), "{header}");
    }
    let body = answer.json();
    assert_eq!(body["error"], "insufficient_funds");
    assert_eq!(body["payer"], Buyer::new(7).checksum());
    assert_eq!(body["accepts"][0]["maxAmountRequired"], "10000");
    answer.assert_no_canary();
    // Presented again it may still be settled.
    let again = pay(&stand, "/news", &payment).await;
    assert_eq!((again.status, stand.runs()), (200, 1));
}

#[tokio::test]
async fn s01_an_open_outcome_is_no_new_offer() {
    let stand = Stand::open().await;
    stand.double.script([silence()]);
    let payment = payment(&stand, "/news", &Change::default()).await;
    for _ in 0..2 {
        let answer = pay(&stand, "/news", &payment).await;
        assert_eq!(answer.brief(), (503, "settlement_pending".to_owned()));
        assert!(answer.json().get("accepts").is_none());
    }
    assert_eq!(stand.runs(), 1);
}

/// More tokens than one, at two prices.
#[paid(GET "/report", price = "0.05 USD", id = "report")]
async fn report() -> &'static str {
    "report"
}

#[paid(GET "/report", price = "0.04 USD", id = "report")]
async fn cheaper() -> &'static str {
    "report"
}

fn second_dollar() -> Rail {
    Rail::custom(Asset {
        network: Network::BASE_SEPOLIA,
        address: address!("00000000000000000000000000000000000074e5"),
        symbol: "TUSD".into(),
        decimals: 6,
        eip712: Some(Eip712Name {
            name: "Test USD".into(),
            version: "1".into(),
        }),
        transfer: TransferMethod::Eip3009,
        eip2612: false,
        usd_pegged: true,
    })
}

#[tokio::test]
async fn the_signature_says_which_token_and_the_value_which_price() {
    let ledger = Arc::new(MemoryLedger::default());
    let (double, clock) = (
        Arc::new(Double::default()),
        Arc::new(ManualClock::at_seconds(NOW)),
    );
    let shop = |handler| {
        let builder = builder(&double, &clock, ledger.clone()).accept(second_dollar());
        match handler {
            "dear" => builder.mount(report),
            _ => builder.mount(cheaper),
        }
    };
    let stand = Stand::of(shop("dear"), double.clone(), clock.clone()).await;
    let old = stand.terms("GET", "/report").await;
    assert_eq!(
        stand.get("/report", None).await.json()["accepts"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let of_second = |terms: &x402_runtime::model::wire::PaymentRequired| {
        let mut terms = terms.clone();
        terms.accepts.remove(0);
        terms
    };
    let buyer = Buyer::new(7);
    let sign = |terms: &_, change: &Change| version_1(&buyer.payment(terms, NOW, change));
    let second = sign(&of_second(&old), &Change::default());
    assert_eq!(pay(&stand, "/report", &second).await.status, 200);
    let asked = double.requests.lock().unwrap()[0].clone();
    assert_eq!(
        asked.requirements.to_value()["asset"],
        of_second(&old).accepts[0].value()["asset"]
    );

    // The price falls; what was quoted may still be paid, in either token, and nothing else.
    let stand = Stand::of(shop("cheap"), double.clone(), clock.clone()).await;
    for terms in [
        old.clone(),
        of_second(&old),
        stand.terms("GET", "/report").await,
    ] {
        let answer = pay(&stand, "/report", &sign(&terms, &Change::default())).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let odd = Change {
        value: Some(U256::from(45_000)),
        ..Change::default()
    };
    let answer = pay(&stand, "/report", &sign(&of_second(&old), &odd)).await;
    assert_eq!(answer.code(), "value_mismatch");
    // Long after, what was bought for the old price is still fetched with its payment.
    clock.advance_ms(301_000);
    assert_eq!(pay(&stand, "/report", &second).await.body, "report");
    assert_eq!(double.settles(), 4);
}

#[paid(GET "/w", price = "0.01 USDC.e")]
async fn unnamed() -> &'static str {
    "w"
}

#[tokio::test]
async fn a_network_without_a_version_1_name_is_told_in_version_2_only() {
    let (double, clock) = (
        Arc::new(Double::default()),
        Arc::new(ManualClock::at_seconds(NOW)),
    );
    let network = Network::evm(181_228);
    assert_eq!(network.short_name(), None);
    let builder = x402_runtime::paywall::Paywall::builder()
        .origin("https://api.example.com")
        .pay_to(PAY_TO)
        .accept(Rail::new(network, "USDC.e"))
        .facilitator(Arc::clone(&double))
        .ledger(MemoryLedger::default())
        .clock(common::shop::Shared(Arc::clone(&clock)))
        .mount(unnamed);
    let stand = Stand::of(builder, double, clock).await;
    let answer = stand.get("/w", None).await;
    let body = answer.json();
    assert_eq!(body["x402Version"], 2);
    assert_eq!(body["accepts"], json!([answer.terms().accepts[0].value()]));
    assert_eq!(body["resource"], "https://api.example.com/w");
    let payment = payment(&stand, "/w", &Change::default()).await;
    assert_eq!(
        pay(&stand, "/w", &payment).await.code(),
        "no_matching_requirements"
    );
    stand.assert_untouched("no version 1");
}
