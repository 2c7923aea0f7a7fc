//! What is refused, with which code, before any work is done: hostile headers, payments, paths and facilitators.
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

use std::sync::atomic::Ordering;

use alloy_primitives::{Address, U256};
use common::buyer::encode;
use common::shop::request;
use common::{Buyer, Change, NOW, Script, Stand};
use serde_json::{Value, json};

#[tokio::test]
async fn g07_every_change_of_the_accepted_terms_is_refused() {
    let stand = Stand::open().await;
    let payment =
        Buyer::new(7).payment(&stand.terms("GET", "/news").await, NOW, &Change::default());
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
    for field in [
        "scheme",
        "network",
        "amount",
        "asset",
        "payTo",
        "maxTimeoutSeconds",
    ] {
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
        assert_eq!(
            answer.brief(),
            (402, "no_matching_requirements".to_owned()),
            "{what}"
        );
        assert_eq!(
            answer.terms().error.as_deref(),
            Some("No matching payment requirements")
        );
        stand.assert_untouched(&what);
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
        (
            Change {
                value: Some(U256::from(9_999)),
                ..Change::default()
            },
            "value_mismatch",
        ),
        (
            Change {
                value: Some(U256::from(10_001)),
                ..Change::default()
            },
            "value_mismatch",
        ),
        (
            Change {
                value: Some(U256::ZERO),
                ..Change::default()
            },
            "value_mismatch",
        ),
        (
            Change {
                value: Some(U256::MAX),
                ..Change::default()
            },
            "value_mismatch",
        ),
        (
            Change {
                to: Some(Address::repeat_byte(1)),
                ..Change::default()
            },
            "recipient_mismatch",
        ),
        (
            Change {
                to: Some(Address::ZERO),
                ..Change::default()
            },
            "recipient_mismatch",
        ),
        (
            Change {
                from: Some(Address::repeat_byte(1)),
                ..Change::default()
            },
            "invalid_signature",
        ),
        (
            Change {
                from: Some(Address::ZERO),
                ..Change::default()
            },
            "invalid_signature",
        ),
        (
            Change {
                valid_before: Some(U256::ZERO),
                ..Change::default()
            },
            "authorization_expired",
        ),
    ];
    for (change, code) in changes {
        let answer = stand
            .get("/news", Some(&buyer.pay_with(&terms, NOW, &change)))
            .await;
        assert_eq!(answer.brief(), (402, code.to_owned()), "{change:?}");
        assert!(answer.headers.get("payment-required").is_some());
        stand.assert_untouched(code);
    }
}

#[tokio::test]
async fn payloads_of_the_wrong_shape_are_refused() {
    let stand = Stand::open().await;
    let payment =
        Buyer::new(7).payment(&stand.terms("GET", "/news").await, NOW, &Change::default());
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
        (
            "/signature",
            json!(common::buyer::hex_of(&[0; 65])),
            "invalid_signature",
        ),
        (
            "/signature",
            json!(common::buyer::hex_of(&[1; 64])),
            "invalid_signature",
        ),
        ("/authorization", json!("x"), "payload_malformed"),
        ("/authorization/value", json!("1e4"), "payload_malformed"),
        ("/authorization/value", json!("-1"), "payload_malformed"),
        ("/authorization/value", json!(0.5), "payload_malformed"),
        ("/authorization/nonce", json!("0x00"), "payload_malformed"),
        ("/authorization/from", json!("0x00"), "payload_malformed"),
        (
            "/authorization/validBefore",
            json!(null),
            "payload_malformed",
        ),
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
        stand.assert_untouched(code);
    }
}

#[tokio::test]
async fn refused_signature_forms_and_wrappers() {
    let stand = Stand::open().await;
    let payment =
        Buyer::new(7).payment(&stand.terms("GET", "/news").await, NOW, &Change::default());
    let signature = payment["payload"]["signature"].as_str().unwrap();
    // v 27 or 28 becomes 0 or 1: recovery would accept it, the token does not.
    let v = if signature.ends_with("1b") {
        "00"
    } else {
        "01"
    };
    let mut low_v = payment.clone();
    low_v["payload"]["signature"] = json!(format!("{}{v}", &signature[..signature.len() - 2]));
    assert_eq!(
        stand.get("/news", Some(&encode(&low_v))).await.code(),
        "simulation_failed"
    );
    let mut wrapped = payment.clone();
    wrapped["payload"]["signature"] = json!(format!("0x{}{}", "00".repeat(320), "6492".repeat(16)));
    assert_eq!(
        stand.get("/news", Some(&encode(&wrapped))).await.code(),
        "eip6492_factory_not_allowed"
    );
    stand.assert_untouched("signature forms");
    assert_eq!(stand.double.verified.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn g15_nothing_of_the_handler_runs_before_the_payment_is_good() {
    let stand = Stand::open().await;
    let buyer = Buyer::new(7);
    let terms = stand.terms("GET", "/weather/oslo").await;
    let forged = buyer.pay_with(
        &terms,
        NOW,
        &Change {
            from: Some(Address::repeat_byte(1)),
            ..Change::default()
        },
    );
    stand.get("/weather/oslo", None).await;
    stand.get("/weather/oslo", Some(&forged)).await;
    stand
        .double
        .refuse_check("invalid_exact_evm_insufficient_balance");
    let poor = stand
        .get("/weather/oslo", Some(&buyer.pay(&terms, NOW)))
        .await;
    assert_eq!(poor.brief(), (402, "insufficient_balance".to_owned()));
    assert_eq!(
        poor.terms().error.as_deref(),
        Some("invalid_exact_evm_insufficient_balance")
    );
    poor.assert_no_canary();
    stand.assert_untouched("refused payments");
    *stand.double.verdict.lock().unwrap() = Ok(Default::default());
    stand.double.check_first.store(false, Ordering::SeqCst);
    assert_eq!(
        stand
            .get("/weather/oslo", Some(&buyer.pay(&terms, NOW)))
            .await
            .status,
        200
    );
    assert_eq!(stand.shop.extracted.load(Ordering::SeqCst), 1);
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
        assert_eq!(
            answer.brief(),
            (500, "handler_panicked".to_owned()),
            "{how}"
        );
        answer.assert_no_canary();
    }
    stand.double.script([Script::Say(common::double::refusal(
        "invalid_x: CANARY text\nwith lines",
    ))]);
    let refused = stand.get(&path("200"), Some(&buyer.pay(&terms, NOW))).await;
    refused.assert_no_canary();
    assert_eq!(
        refused.settlement().unwrap().error_reason.as_deref(),
        Some("invalid_x")
    );
    stand
        .double
        .script([Script::Say(common::double::refusal("CANARY free text"))]);
    let refused = stand.get(&path("200"), Some(&buyer.pay(&terms, NOW))).await;
    refused.assert_no_canary();
    assert_eq!(
        refused.settlement().unwrap().error_reason.as_deref(),
        Some("settlement_refused")
    );
    let mut request = request("GET", &path("200"), Some("CANARY"), "");
    request
        .headers_mut()
        .insert("host", "CANARY.example".parse().unwrap());
    stand.send(request).await.assert_no_canary();
}
