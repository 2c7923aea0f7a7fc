//! Header cases of kinds that the recording may hold elsewhere, by the same rules.
#![allow(
    clippy::expect_used,
    reason = "a test may stop at the first thing that is not as expected"
)]

use serde_json::{Value, json};
use x402_model::wire::headers;

use super::run;
use super::vectors::Vectors;

#[test]
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn more_header_cases() {
    let of = |value: Value| headers::encode(&value).expect("encodes");
    let settled = json!({"success": true, "transaction": "0xab", "network": "eip155:84532"});
    let failed = json!({"success": false, "errorReason": "settlement_pending", "errorMessage": "a\nb", "transaction": "",
        "network": "base-sepolia", "extra": {"depositTransaction": "0x1"}});
    let terms = json!({"x402Version": 2, "error": null, "resource": {"url": "u", "description": null, "tags": null},
        "accepts": [{"scheme": "exact", "extra": null, "odd": [null]}], "extensions": null});
    let payment = json!({"x402Version": 2, "accepted": {"scheme": "exact", "new": null}, "payload": {"a": null},
        "resource": null, "extensions": {"e": {"info": {"n": null}}}});
    let v1 = json!({"x402Version": 1, "error": "X-PAYMENT header is required", "accepts": []});
    let mut cases = Vec::new();
    let mut case = |name: &str, header: Value, input: Value, expected: Value| {
        cases.push(json!({"name": name, "header": header, "input": input, "expected": expected}));
    };
    for (header, object) in [
        ("PAYMENT-REQUIRED", &terms),
        ("payment-signature", &payment),
        ("PAYMENT-RESPONSE", &failed),
        ("X-PAYMENT-RESPONSE", &failed),
        (
            "EXTENSION-RESPONSES",
            &json!({"bazaar": {"status": "success"}}),
        ),
    ] {
        let expected = json!({"base64": of(object.clone()), "decoded": object});
        case(header, json!(header), json!({"object": object}), expected);
    }
    case(
        "version 3",
        Value::Null,
        json!({"x402Version": 3}),
        json!({"ok": false, "error": "Unsupported x402 version: 3"}),
    );
    for (text, value) in [
        ("W10=", json!([])),
        ("NDI", json!(42)),
        ("ImEi", json!("a")),
    ] {
        case(
            text,
            Value::Null,
            json!({"header": text}),
            json!({"ok": true, "value": value}),
        );
    }
    for text in ["W10===", "W1 0=", "=W10", "%%%%"] {
        case(
            text,
            Value::Null,
            json!({"header": text}),
            json!({"ok": false, "error": "Invalid payment signature header"}),
        );
    }
    for name in ["PAYMENT-REQUIRED", "payment-required"] {
        let expected = json!({"ok": true, "x402Version": 2});
        case(
            name,
            Value::Null,
            json!({"headers": {name: of(terms.clone())}, "body": {}}),
            expected,
        );
    }
    case(
        "v1 body",
        Value::Null,
        json!({"headers": {}, "body": v1}),
        json!({"ok": true, "x402Version": 1}),
    );
    case(
        "v1 text",
        Value::Null,
        json!({"headers": {}, "body": v1.to_string()}),
        json!({"ok": true, "x402Version": 1}),
    );
    let bad = json!({"headers": {"PAYMENT-REQUIRED": "??"}, "body": v1});
    case(
        "bad header, good body",
        Value::Null,
        bad,
        json!({"ok": false, "error": "Invalid payment required header"}),
    );
    for name in ["PAYMENT-RESPONSE", "x-payment-response"] {
        let input = json!({"headers": {name: of(settled.clone())}});
        case(
            name,
            Value::Null,
            input.clone(),
            json!({"ok": true, "value": settled}),
        );
        case(name, Value::Null, input, settled.clone());
    }
    run(&Vectors::parse(&json!({"cases": cases}).to_string()));
}
