//! Every refusal of the Permit2 payload reader, and every accepted spelling.

use super::*;

fn good() -> Value {
    json!({
        "signature": format!("0x{}", "ab".repeat(65)),
        "permit2Authorization": {
            "from": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
            "permitted": {"token": "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "amount": "10000"},
            "spender": "0x402085c248EeA27D92E8b30b2C58ed07f9E20001",
            "nonce": "93100223137337413744334779499241502162575332637324467596582232121293380558758",
            "deadline": "1790000300",
            "witness": {"to": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "validAfter": "0"},
        },
    })
}

fn upto() -> Value {
    let mut payload = good();
    payload["permit2Authorization"]["witness"]["facilitator"] =
        json!("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
    payload
}

fn with(path: &str, value: Value) -> Value {
    let mut payload = upto();
    *payload.pointer_mut(path).unwrap() = value;
    payload
}

const PLACES: [(&str, &str); 8] = [
    ("/permit2Authorization/from", "from"),
    ("/permit2Authorization/permitted/token", "permitted.token"),
    ("/permit2Authorization/permitted/amount", "permitted.amount"),
    ("/permit2Authorization/spender", "spender"),
    ("/permit2Authorization/nonce", "nonce"),
    ("/permit2Authorization/deadline", "deadline"),
    ("/permit2Authorization/witness/to", "witness.to"),
    (
        "/permit2Authorization/witness/validAfter",
        "witness.validAfter",
    ),
];

fn is_address(path: &str) -> bool {
    ["from", "token", "spender", "to", "facilitator"]
        .iter()
        .any(|end| path.ends_with(&format!("/{end}")))
}

#[test]
fn canonical_json_reads_back_as_itself() {
    for payload in [good(), upto()] {
        let read = Permit2Payload::parse(&payload).unwrap();
        assert_eq!(read.to_json(), payload);
        let raw = RawValue::from_string(payload.to_string()).unwrap();
        assert_eq!(Permit2Payload::parse_raw(&raw), Ok(read));
    }
}

#[test]
fn the_witness_tells_the_scheme() {
    let exact = Permit2Payload::parse(&good())
        .unwrap()
        .authorization
        .witness;
    let upto = Permit2Payload::parse(&upto())
        .unwrap()
        .authorization
        .witness;
    assert!(exact.facilitator().is_none() && upto.facilitator().is_some());
    assert_ne!(exact.proxy(), upto.proxy());
    let null = with("/permit2Authorization/witness/facilitator", Value::Null);
    assert_eq!(
        Permit2Payload::parse(&null).unwrap().authorization.witness,
        exact
    );
}

#[test]
fn every_spelling_of_one_payment_is_one_value() {
    let canonical = Permit2Payload::parse(&upto()).unwrap();
    let upper = |text: &str| format!("0x{}", text.trim_start_matches("0x").to_uppercase());
    let nonce = format!("0x{:064X}", canonical.authorization.nonce);
    let mut spellings = vec![
        with("/permit2Authorization/permitted/amount", json!(10000)),
        with("/permit2Authorization/permitted/amount", json!("0x2710")),
        with("/permit2Authorization/permitted/amount", json!("00010000")),
        with("/permit2Authorization/deadline", json!(1_790_000_300)),
        with("/permit2Authorization/witness/validAfter", json!(0.0)),
        with("/permit2Authorization/nonce", json!(nonce)),
        with("/signature", json!(upper(&"ab".repeat(65)))),
    ];
    for (path, _) in PLACES.iter().filter(|(path, _)| is_address(path)) {
        let text = upto().pointer(path).unwrap().as_str().unwrap().to_owned();
        spellings.push(with(path, json!(text.to_lowercase())));
        spellings.push(with(path, json!(upper(&text))));
    }
    for spelling in spellings {
        assert_eq!(
            Permit2Payload::parse(&spelling).as_ref(),
            Ok(&canonical),
            "{spelling}"
        );
    }
}

#[test]
fn every_missing_or_bad_member_is_named() {
    for (path, name) in PLACES {
        let error = |value: Value| Permit2Payload::parse(&with(path, value)).unwrap_err();
        assert_eq!(error(Value::Null), PayloadError::MissingField(name));
        if is_address(path) {
            for bad in [json!("0x12"), json!(7), json!({}), json!("f39f")] {
                assert_eq!(error(bad), PayloadError::Address(name));
            }
        } else {
            for bad in [json!("-1"), json!("1.5"), json!("x"), json!(1.5), json!([])] {
                assert_eq!(error(bad), PayloadError::Integer(name));
            }
            let over = format!("0x1{}", "0".repeat(64));
            assert_eq!(error(json!(over)), PayloadError::OutOfRange(name));
        }
    }
    assert_eq!(
        Permit2Payload::parse(&with(
            "/permit2Authorization/witness/facilitator",
            json!("")
        )),
        Err(PayloadError::Address("witness.facilitator"))
    );
}

#[test]
fn every_bad_outer_part_has_its_own_error() {
    let cases = [
        (json!([]), PayloadError::NotAnObject),
        (json!({}), PayloadError::MissingSignature),
        (with("/signature", json!(1)), PayloadError::SignatureType),
        (
            json!({"signature": "0x01"}),
            PayloadError::MissingAuthorization,
        ),
        (
            with("/permit2Authorization", json!([])),
            PayloadError::AuthorizationType,
        ),
        (
            with("/permit2Authorization/permitted", json!("x")),
            PayloadError::FieldType("permitted"),
        ),
        (
            with("/permit2Authorization/witness", json!([])),
            PayloadError::FieldType("witness"),
        ),
        (
            with("/permit2Authorization/permitted", Value::Null),
            PayloadError::MissingField("permitted"),
        ),
    ];
    for (payload, error) in cases {
        assert_eq!(Permit2Payload::parse(&payload), Err(error), "{payload}");
        assert!(error.code().starts_with("payload_"));
    }
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let raw = RawValue::from_string(deep).unwrap();
    assert_eq!(Permit2Payload::parse_raw(&raw), Err(PayloadError::NotJson));
}
