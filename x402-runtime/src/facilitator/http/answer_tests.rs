//! The answers of providers, good and bad, and what they are taken for.

use serde_json::{Value, json};

use super::super::auth::Operation;
use super::*;
use crate::facilitator::FacilitatorRequest;

const TX: &str = "0xabababababababababababababababababababababababababababababababab";
const PAYER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

fn reply(status: u16, body: &Value) -> Reply {
    raw(status, body.to_string().as_bytes())
}

fn raw(status: u16, body: &[u8]) -> Reply {
    Reply {
        operation: Operation::Settle,
        status,
        retry_after: None,
        body: body.to_vec(),
    }
}

fn request() -> FacilitatorRequest {
    FacilitatorRequest {
        x402_version: 2,
        payload: json!({ "payload": { "authorization": { "from": PAYER } } }).into(),
        requirements: json!({ "network": "eip155:84532" }).into(),
    }
}

fn name(status: u16, body: &Value) -> &'static str {
    match settlement(&reply(status, body), &Asked::of(&request())) {
        Settling::Settled(_) => "settled",
        Settling::Refused(_) => "refused",
        Settling::Pending { .. } => "pending",
        Settling::Open { .. } => "open",
    }
}

#[test]
fn g05_only_a_true_success_is_a_settlement() {
    let good = || json!({ "success": true, "transaction": TX, "network": "eip155:84532" });
    let with = |key: &str, value: Value| {
        let mut body = good();
        if let Some(body) = body.as_object_mut() {
            body.insert(key.to_owned(), value);
        }
        body
    };
    for body in [
        good(),
        with("payer", json!(PAYER)),
        with("payer", json!(PAYER.to_ascii_lowercase())),
        with("payer", Value::Null),
        with("network", json!("base-sepolia")),
        with("extra", Value::Null),
    ] {
        assert_eq!(name(200, &body), "settled", "{body}");
    }
    for body in [
        with("success", json!("true")),
        with("success", json!(1)),
        with("success", Value::Null),
        with("transaction", json!("")),
        with("transaction", json!("  ")),
        with("transaction", Value::Null),
        with("transaction", json!("a".repeat(129))),
        with("network", json!("eip155:8453")),
        with("network", json!("")),
        with("payer", json!("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")),
        with("payer", json!("me")),
        json!({ "success": true }),
        json!({ "success": true, "network": "eip155:84532" }),
        json!([true, TX, "eip155:84532"]),
        json!(true),
        json!("success"),
        Value::Null,
        json!({}),
    ] {
        assert_eq!(name(200, &body), "open", "{body}");
    }
    for status in [201, 299] {
        assert_eq!(name(status, &good()), "settled", "{status}");
    }
    for status in [301, 308, 400, 402, 500, 502, 503] {
        assert_eq!(name(status, &good()), "open", "{status}");
    }
    let twice =
        br#"{"success":false,"success":true,"transaction":"0xab","network":"eip155:84532"}"#;
    assert!(matches!(
        settlement(&raw(200, twice), &Asked::of(&request())),
        Settling::Open { .. }
    ));
}

#[test]
fn s01_a_refusal_counts_only_when_nothing_was_sent() {
    let no = |reason: &str, transaction: &str| json!({ "success": false, "errorReason": reason, "transaction": transaction, "network": "eip155:84532" });
    for reason in [
        "x",
        "invalid_exact_evm_insufficient_balance",
        "insufficient_funds",
        "invalid_exact_evm_signature",
        "invalid_exact_evm_payload_authorization_valid_before",
        "invalid_exact_evm_transaction_simulation_failed",
    ] {
        assert_eq!(name(200, &no(reason, "")), "refused", "{reason}");
        assert_eq!(name(400, &no(reason, "")), "refused", "{reason}");
        assert_eq!(name(302, &no(reason, "")), "open", "{reason}");
        assert_eq!(name(200, &no(reason, TX)), "open", "{reason}");
    }
    for reason in [
        "settlement_pending",
        "invalid_exact_evm_nonce_already_used",
        "FiatTokenV2: authorization is used or canceled",
        "permit2_invalid_nonce",
        "duplicate_settlement",
        "Transaction already known",
        "invalid_batch_settlement_evm_channel_busy",
        "invalid_exact_evm_transaction_failed: timeout\nat line 1",
        "invalid_transaction_state",
        "invalid_exact_evm_transfer_event_mismatch",
        "unexpected_settle_error",
        "Timed out while waiting for receipt",
    ] {
        assert_eq!(name(200, &no(reason, "")), "open", "{reason}");
        assert_eq!(name(500, &no(reason, "")), "open", "{reason}");
    }
    assert_eq!(name(200, &no("settlement_pending", TX)), "pending");
    let said_below = json!({ "success": false, "errorReason": "settle_failed", "errorMessage": "nonce already used",
        "transaction": "", "network": "eip155:84532" });
    assert_eq!(name(200, &said_below), "open");
}

#[test]
fn verification_says_yes_with_a_2xx_only() {
    let table = [
        (200, json!({ "isValid": true }), Some(true)),
        (
            200,
            json!({ "isValid": false, "invalidReason": "x" }),
            Some(false),
        ),
        (400, json!({ "isValid": false }), Some(false)),
        (500, json!({ "isValid": false }), Some(false)),
        (400, json!({ "isValid": true }), None),
        (308, json!({ "isValid": false }), None),
        (200, json!({ "isValid": "true" }), None),
        (200, json!({ "isValid": 1 }), None),
        (200, json!({}), None),
        (200, json!([true]), None),
        (401, json!("Unauthorized"), None),
    ];
    for (status, body, expected) in table {
        let said = verification(&reply(status, &body)).ok();
        assert_eq!(
            said.map(|response| response.is_valid),
            expected,
            "{status} {body}"
        );
    }
}

#[test]
fn long_texts_are_cut() {
    let body = json!({ "isValid": false, "invalidReason": "é".repeat(5000), "invalidMessage": "x".repeat(5000) });
    let response = verification(&reply(200, &body)).ok();
    let lengths = response
        .map(|r| [r.invalid_reason, r.invalid_message].map(|t| t.map(|t| t.chars().count())));
    assert_eq!(lengths, Some([Some(MAX_TEXT), Some(MAX_TEXT)]));
}
