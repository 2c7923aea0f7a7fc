//! Every refusal of the payload reader, and every accepted spelling.

use alloy_primitives::U256;

use super::*;

fn good() -> Value {
    json!({
        "signature": format!("0x{}", "ab".repeat(65)),
        "authorization": {
            "from": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
            "to": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
            "value": "10000",
            "validAfter": "0",
            "validBefore": "1790000300",
            "nonce": format!("0x{}", "cd".repeat(32)),
        },
    })
}

fn with(path: &str, value: Value) -> Value {
    let mut payload = good();
    *payload.pointer_mut(path).unwrap() = value;
    payload
}

#[test]
fn canonical_json_reads_back_as_itself() {
    let payload = ExactEvmPayload::parse(&good()).unwrap();
    assert_eq!(payload.to_json(), good());
}

#[test]
fn every_spelling_of_one_payment_is_one_value() {
    let canonical = ExactEvmPayload::parse(&good()).unwrap();
    let upper = |text: &str| format!("0x{}", text.trim_start_matches("0x").to_uppercase());
    let spellings = [
        with("/authorization/value", json!(10000)),
        with("/authorization/value", json!(10000.0)),
        with("/authorization/value", json!("0x2710")),
        with("/authorization/value", json!("0x00002710")),
        with("/authorization/value", json!("00010000")),
        with("/authorization/validAfter", json!(0)),
        with("/authorization/validBefore", json!("0x6AB13CAC")),
        with(
            "/authorization/from",
            json!("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"),
        ),
        with(
            "/authorization/from",
            json!(upper("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266")),
        ),
        with("/authorization/nonce", json!(upper(&"cd".repeat(32)))),
        with("/signature", json!(upper(&"ab".repeat(65)))),
    ];
    for spelling in spellings {
        assert_eq!(
            ExactEvmPayload::parse(&spelling).unwrap(),
            canonical,
            "{spelling}"
        );
    }
}

#[test]
fn unknown_members_are_ignored() {
    let mut payload = good();
    payload["more"] = json!({"a": 1});
    payload["authorization"]["more"] = json!([1]);
    assert!(ExactEvmPayload::parse(&payload).is_ok());
}

#[test]
fn every_bad_integer_is_refused() {
    let bad = [
        json!(""),
        json!("-1"),
        json!("+1"),
        json!("1.0"),
        json!("1e3"),
        json!(" 1"),
        json!("1_000"),
        json!("0x"),
        json!("0X10"),
        json!("0xg"),
        json!("abc"),
        json!("0b1"),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(true),
        json!([1]),
        json!("1".repeat(200)),
        json!("１"),
    ];
    for value in bad {
        for key in ["value", "validAfter", "validBefore"] {
            let payload = with(&format!("/authorization/{key}"), value.clone());
            assert_eq!(
                ExactEvmPayload::parse(&payload),
                Err(PayloadError::Integer(key)),
                "{value}"
            );
        }
    }
    let max = U256::MAX.to_string();
    assert!(ExactEvmPayload::parse(&with("/authorization/value", json!(max))).is_ok());
    let over = "115792089237316195423570985008687907853269984665640564039457584007913129639936";
    assert_eq!(
        ExactEvmPayload::parse(&with("/authorization/value", json!(over))),
        Err(PayloadError::OutOfRange("value")),
    );
}

#[test]
fn every_missing_field_is_named() {
    for key in ["from", "to", "value", "validAfter", "validBefore", "nonce"] {
        let payload = with(&format!("/authorization/{key}"), Value::Null);
        assert_eq!(
            ExactEvmPayload::parse(&payload),
            Err(PayloadError::MissingField(key))
        );
        let mut payload = good();
        payload["authorization"]
            .as_object_mut()
            .unwrap()
            .remove(key);
        assert_eq!(
            ExactEvmPayload::parse(&payload),
            Err(PayloadError::MissingField(key))
        );
    }
}

fn refused(cases: impl IntoIterator<Item = (Value, PayloadError)>) {
    for (payload, error) in cases {
        assert_eq!(ExactEvmPayload::parse(&payload), Err(error), "{payload}");
        assert!(error.code().starts_with("payload_"));
    }
}

#[test]
fn every_bad_outer_part_has_its_own_error() {
    refused([
        (json!(null), PayloadError::NotAnObject),
        (json!("x"), PayloadError::NotAnObject),
        (json!({}), PayloadError::MissingSignature),
        (
            with("/signature", json!(null)),
            PayloadError::MissingSignature,
        ),
        (with("/signature", json!(1)), PayloadError::SignatureType),
        (
            with("/signature", json!("0x")),
            PayloadError::Signature(SignatureError::Empty),
        ),
        (
            with("/signature", json!("ab")),
            PayloadError::Signature(SignatureError::NotHex),
        ),
        (
            with("/signature", json!(format!("0x{}", "00".repeat(9000)))),
            PayloadError::Signature(SignatureError::TooLong),
        ),
        (
            json!({"signature": "0x01"}),
            PayloadError::MissingAuthorization,
        ),
        (
            with("/authorization", json!(null)),
            PayloadError::MissingAuthorization,
        ),
        (
            with("/authorization", json!([])),
            PayloadError::AuthorizationType,
        ),
    ]);
}

#[test]
fn every_bad_address_and_nonce_has_its_own_error() {
    refused([
        (
            with("/authorization/from", json!("0x12")),
            PayloadError::Address("from"),
        ),
        (
            with("/authorization/to", json!(7)),
            PayloadError::Address("to"),
        ),
        (
            with("/authorization/nonce", json!("0x12")),
            PayloadError::Nonce,
        ),
        (
            with(
                "/authorization/nonce",
                json!(format!("0x{}", "cd".repeat(33))),
            ),
            PayloadError::Nonce,
        ),
        (
            with("/authorization/nonce", json!("cd".repeat(32))),
            PayloadError::Nonce,
        ),
        (with("/authorization/nonce", json!(12)), PayloadError::Nonce),
    ]);
}

#[test]
fn deep_raw_json_is_refused_not_overflowed() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let raw = RawValue::from_string(deep).unwrap();
    assert_eq!(ExactEvmPayload::parse_raw(&raw), Err(PayloadError::NotJson));
}

#[test]
fn a_json_number_that_went_through_a_float_is_no_amount() {
    // 2^64 + 1, 2^53 + 1 as a decimal, and a large float: the JSON reader has rounded all of them already.
    for text in [
        "18446744073709551617",
        "9007199254740993.0",
        "1.8446744073709550e19",
        "1e17",
    ] {
        let number: Value = serde_json::from_str(text).unwrap();
        assert_eq!(
            ExactEvmPayload::parse(&with("/authorization/value", number)),
            Err(PayloadError::Integer("value")),
            "{text}"
        );
    }
    // Whole integers of up to 64 bits and small integral decimals arrive as they were written.
    for (text, value) in [
        ("18446744073709551615", u64::MAX),
        ("4294967295.0", 4_294_967_295),
    ] {
        let number: Value = serde_json::from_str(text).unwrap();
        let read = ExactEvmPayload::parse(&with("/authorization/value", number)).unwrap();
        assert_eq!(read.authorization.value, U256::from(value), "{text}");
    }
}
