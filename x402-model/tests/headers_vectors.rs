//! Header encoding, decoding and version detection against the recorded answers of the reference packages.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first thing that is not as expected"
)]

#[path = "support/more_headers.rs"]
mod more;
#[path = "support/vectors.rs"]
mod vectors;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use vectors::{Case, Vectors, same};
use x402_model::wire::headers::{self, CodecError, DEFAULT_CAP};
use x402_model::wire::{
    Offered, PaymentPayload, PaymentRequired, SettleResponse, SupportedResponse, VerifyResponse,
    parse_402, v1,
};

/// Where we refuse what the reference takes, keyed by our own error code.
const STRICTER: &[(&str, &str)] = &[
    (
        "too_large",
        "the reference has no limit; an unbounded header is an attack on memory",
    ),
    (
        "too_deep",
        "the reference has no limit; deep JSON is an attack on the stack",
    ),
    (
        "not_utf8",
        "the reference replaces bad bytes, so what it reads is not what was sent",
    ),
    (
        "wrong_shape",
        "the reference checks nothing here and fails later, mostly with a 500",
    ),
    (
        "wrong_version",
        "the reference takes terms of any version from the version 2 header",
    ),
];

#[test]
fn every_header_case() {
    run(&Vectors::parse(include_str!("data/headers.json")));
}

fn run(file: &Vectors) {
    file.check(|case| {
        if case.input.get("object").is_some() {
            codec(case)
        } else if let Some(version) = case.input.get("x402Version") {
            header_name(version, case)
        } else if let Some(header) = case.input.get("header").and_then(Value::as_str) {
            decoding(header, case)
        } else if let Some((name, header)) = settlement_header(case.input) {
            result(&name, &header, case)
        } else if case.input.get("headers").is_some() {
            detection(case)
        } else {
            Err("unknown kind of case".to_owned())
        }
    });
}

fn codec(case: Case<'_>) -> Result<(), String> {
    let name = case
        .member("header")
        .and_then(Value::as_str)
        .unwrap_or(headers::PAYMENT_SIGNATURE);
    match name.to_ascii_uppercase().as_str() {
        headers::PAYMENT_REQUIRED => typed::<PaymentRequired>(case, false),
        headers::PAYMENT_SIGNATURE => typed::<PaymentPayload>(case, false),
        headers::PAYMENT_RESPONSE => typed::<SettleResponse>(case, false),
        headers::X_PAYMENT => typed::<v1::PaymentPayload>(case, true),
        headers::X_PAYMENT_RESPONSE => typed::<v1::SettleResponse>(case, true),
        // Headers that this crate has no type for, such as EXTENSION-RESPONSES, go through the same codec.
        _ => typed::<Value>(case, false),
    }
}

/// Members of the messages that the protocol names, at the top and in `resource`. We carry these and, as our types
/// say, no others; an optional one that is null is absent.
const NAMED: &[&str] = &[
    "x402Version",
    "error",
    "resource",
    "accepts",
    "extensions",
    "url",
    "description",
    "mimeType",
    "serviceName",
    "tags",
    "iconUrl",
    "accepted",
    "payload",
    "success",
    "transaction",
    "network",
    "payer",
    "errorReason",
    "errorMessage",
    "amount",
    "extra",
    "scheme",
];

/// What a message of the reference says in members that the protocol names.
fn named(message: &Value) -> Value {
    let Value::Object(members) = message else {
        return message.clone();
    };
    let members = members
        .iter()
        .filter(|(name, value)| !value.is_null() && NAMED.contains(&name.as_str()));
    members
        .map(|(name, value)| {
            let value = if name == "resource" {
                named(value)
            } else {
                value.clone()
            };
            (name.clone(), value)
        })
        .collect()
}

/// The result header of an answer, unless there are terms beside it.
fn settlement_header(input: &Value) -> Option<(String, String)> {
    let headers = input.get("headers")?.as_object()?;
    let find = |wanted: &str| {
        let found = headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
        Some((wanted.to_owned(), found.1.as_str()?.to_owned()))
    };
    if find(headers::PAYMENT_REQUIRED).is_some() {
        return None;
    }
    find(headers::PAYMENT_RESPONSE).or_else(|| find(headers::X_PAYMENT_RESPONSE))
}

fn result(name: &str, header: &str, case: Case<'_>) -> Result<(), String> {
    if header.starts_with('<') {
        // The recorder's placeholder for some valid header.
        return Ok(());
    }
    let ours: Result<Value, _> = match name {
        headers::X_PAYMENT_RESPONSE => headers::decode_v1(header.as_bytes(), DEFAULT_CAP),
        _ => headers::decode_value(header.as_bytes(), DEFAULT_CAP),
    };
    let expected = case.expected;
    let theirs = expected
        .get("value")
        .or_else(|| expected.get("decoded"))
        .unwrap_or(expected);
    match ours {
        Ok(_) if expected["ok"] == json!(false) => {
            Err("we take what the reference refuses".to_owned())
        }
        Ok(value) => same("result", &value, theirs),
        Err(_) if expected["ok"] == json!(false) => Ok(()),
        Err(error) => stricter(error),
    }
}

/// The object goes through our type and our encoder and must come out as the reference's decoder sees it; the
/// reference's own text must go through our decoder with the same result.
fn typed<T: Serialize + DeserializeOwned>(case: Case<'_>, old: bool) -> Result<(), String> {
    let decoded = case
        .expected
        .get("decoded")
        .unwrap_or(&case.input["object"]);
    let message: T =
        serde_json::from_str(&case.input["object"].to_string()).map_err(|e| e.to_string())?;
    let encoded = if old {
        headers::encode_v1(&message)
    } else {
        headers::encode(&message)
    };
    let encoded = encoded.map_err(|e| e.to_string())?;
    let ours = headers::decode_value(encoded.as_bytes(), DEFAULT_CAP).map_err(|e| e.to_string())?;
    let known = core::any::type_name::<T>() != core::any::type_name::<Value>();
    let decoded = &if known {
        named(decoded)
    } else {
        decoded.clone()
    };
    same("encoded", &ours, decoded)?;
    if let Some(base64) = case.expected["base64"].as_str() {
        let text =
            headers::decode_text(base64.as_bytes(), DEFAULT_CAP).map_err(|e| e.to_string())?;
        if let Some(json) = case.expected["json"].as_str() {
            same("text", text.as_str(), json)?;
        }
        let message: T =
            headers::decode(base64.as_bytes(), DEFAULT_CAP).map_err(|e| e.to_string())?;
        let again = serde_json::to_value(&message).map_err(|e| e.to_string())?;
        same("decoded", &again, decoded)?;
    }
    Ok(())
}

fn header_name(version: &Value, case: Case<'_>) -> Result<(), String> {
    let ours = version.as_u64().and_then(headers::payment_header);
    let theirs = case
        .expected
        .as_array()
        .and_then(|names| names.first())
        .and_then(Value::as_str);
    same("header name", ours, theirs)
}

fn decoding(header: &str, case: Case<'_>) -> Result<(), String> {
    let ours = headers::decode_value(header.as_bytes(), DEFAULT_CAP);
    match (ours, case.accepted()) {
        (Ok(value), true) => same("value", &value, &case.expected["value"]),
        (Ok(_), false) => Err("we take what the reference refuses".to_owned()),
        (Err(_), false) => Ok(()),
        (Err(error), true) => stricter(error),
    }
}

fn detection(case: Case<'_>) -> Result<(), String> {
    let header = case.input["headers"].as_object().and_then(|map| {
        map.iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(headers::PAYMENT_REQUIRED))
            .map(|(_, value)| value)
    });
    // The recorder writes a placeholder where it sent some valid version 2 header.
    let header = header
        .and_then(Value::as_str)
        .map(|text| match text.strip_prefix('<') {
            Some(_) => some_v2_header(),
            None => text.to_owned(),
        });
    let body = match case.input.get("body") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    let ours = parse_402(
        header.as_deref().map(str::as_bytes),
        body.as_bytes(),
        DEFAULT_CAP,
    );
    match (ours, case.accepted()) {
        (Ok(terms), true) => same(
            "version",
            Some(u64::from(terms.version())),
            case.expected["x402Version"].as_u64(),
        ),
        (Ok(_), false) => Err("we take what the reference refuses".to_owned()),
        (Err(_), false) => Ok(()),
        (Err(error), true) => stricter(error),
    }
}

fn some_v2_header() -> String {
    let terms =
        json!({"x402Version": 2, "resource": {"url": "https://api.example.com/"}, "accepts": []});
    headers::encode(&terms).expect("JSON encodes")
}

fn stricter(error: CodecError) -> Result<(), String> {
    let known = STRICTER
        .iter()
        .any(|(code, why)| *code == error.code() && !why.is_empty());
    if known {
        Ok(())
    } else {
        Err(format!("refused: {error}"))
    }
}

#[test]
fn base64_is_taken_as_browsers_take_it() {
    let decode = |text: &str| headers::decode_value(text.as_bytes(), DEFAULT_CAP);
    // "12" is MTI=; "1" is MQ==; "123" is MTIz.
    for (text, value) in [
        ("MTI=", 12),
        ("MTI", 12),
        ("MQ==", 1),
        ("MQ", 1),
        ("MTIz", 123),
        ("MR==", 1),
        ("MTJ=", 12),
    ] {
        assert_eq!(decode(text), Ok(json!(value)), "{text}");
    }
    let refused = [
        "MQ=", "MTI==", "MTIz=", "MTIz==", "MTIz====", "MQ===", "=", "==", "=MQ=", "M", "MTIzM",
        "M=Q=", "MQ\n=", "MT-_",
    ];
    for text in refused {
        assert_eq!(decode(text), Err(CodecError::Base64), "{text}");
    }
    assert_eq!(decode(""), Err(CodecError::Json));
}

#[test]
fn g14_limits_come_before_work() {
    let long = "A".repeat(DEFAULT_CAP + 1);
    assert_eq!(
        headers::decode_value(long.as_bytes(), DEFAULT_CAP),
        Err(CodecError::TooLarge {
            len: DEFAULT_CAP + 1,
            cap: DEFAULT_CAP
        }),
    );
    let deep = headers::encode(&Value::Null)
        .map(|_| "[".repeat(2000))
        .expect("encodes");
    let header = base64_of(deep.as_bytes());
    assert_eq!(
        headers::decode_value(header.as_bytes(), DEFAULT_CAP),
        Err(CodecError::TooDeep)
    );
    // Raw parts are skipped by the JSON parser without a limit of its own.
    let deep = format!(
        r#"{{"x402Version":2,"accepted":{{}},"payload":{{"a":{}1{}}}}}"#,
        "[".repeat(500),
        "]".repeat(500)
    );
    let header = base64_of(deep.as_bytes());
    assert_eq!(
        PaymentPayload::from_header(header.as_bytes(), DEFAULT_CAP).err(),
        Some(CodecError::TooDeep)
    );
}

#[test]
fn a_payment_that_is_not_one_is_named_for_what_it_is() {
    let from = |value: Value| {
        let header = headers::encode(&value).expect("encodes");
        PaymentPayload::from_header(header.as_bytes(), DEFAULT_CAP).err()
    };
    for value in [json!(null), json!([]), json!(1), json!("x")] {
        assert_eq!(from(value), Some(CodecError::Shape));
    }
    assert_eq!(from(json!({})), Some(CodecError::Version { found: None }));
    assert_eq!(
        from(json!({"x402Version": "2"})),
        Some(CodecError::Version { found: None })
    );
    assert_eq!(
        from(json!({"x402Version": 1, "scheme": "exact"})),
        Some(CodecError::Version { found: Some(1) })
    );
    assert_eq!(
        from(json!({"x402Version": 3})),
        Some(CodecError::Version { found: Some(3) })
    );
    assert_eq!(from(json!({"x402Version": 2})), Some(CodecError::Shape));
    assert_eq!(
        from(json!({"x402Version": 2, "accepted": [], "payload": {}})),
        Some(CodecError::Shape)
    );
    assert_eq!(
        from(json!({"x402Version": 2, "accepted": {}, "payload": 7})),
        Some(CodecError::Shape)
    );
    assert_eq!(
        from(
            json!({"x402Version": 2.0, "accepted": {}, "payload": {}, "resource": null, "extensions": null})
        ),
        None
    );
}

#[test]
fn version_1_text_may_be_latin_1_and_version_2_text_may_not() {
    let json = b"{\"x402Version\":1,\"scheme\":\"exact\",\"network\":\"Z\xfcrich\",\"payload\":{}}";
    let header = base64_of(json);
    let payment = v1::PaymentPayload::from_header(header.as_bytes(), DEFAULT_CAP)
        .expect("Latin-1 is fine in version 1");
    assert_eq!(payment.network, "Zürich");
    assert_eq!(
        headers::decode_value(header.as_bytes(), DEFAULT_CAP),
        Err(CodecError::Utf8)
    );
}

#[test]
fn a_byte_order_mark_is_dropped() {
    let header = base64_of("\u{feff}{\"a\":1}".as_bytes());
    assert_eq!(
        headers::decode_value(header.as_bytes(), DEFAULT_CAP),
        Ok(json!({"a": 1}))
    );
}

#[test]
fn g05_only_a_boolean_true_with_everything_else_in_place_is_an_answer() {
    let settle = [
        r#"{"success":"true","transaction":"0x1","network":"n"}"#,
        r#"{"success":"false","transaction":"0x1","network":"n"}"#,
        r#"{"success":1,"transaction":"0x1","network":"n"}"#,
        r#"{"success":null,"transaction":"0x1","network":"n"}"#,
        r#"{"success":[true],"transaction":"0x1","network":"n"}"#,
        r#"{"Success":true,"transaction":"0x1","network":"n"}"#,
        r#"{"transaction":"0x1","network":"n"}"#,
        r#"{"success":true,"network":"n"}"#,
        r#"{"success":true,"transaction":null,"network":"n"}"#,
        r#"{"success":true,"transaction":1,"network":"n"}"#,
        r#"{"success":true,"transaction":"0x1"}"#,
        r#"{"success":true,"transaction":"0x1","network":"n","payer":7}"#,
        r#"{"success":true,"success":false,"transaction":"0x1","network":"n"}"#,
        r#"{"isValid":true}"#,
        r#"[true,null,null,null,"0x1","n",null,null,null]"#,
        r#"true"#,
        r#"null"#,
        r#"{}"#,
    ];
    for text in settle {
        assert!(
            serde_json::from_str::<SettleResponse>(text).is_err(),
            "{text}"
        );
    }
    let verify = [
        r#"{"isValid":"true"}"#,
        r#"{"isValid":1}"#,
        r#"{"isValid":null}"#,
        r#"{"valid":true}"#,
        r#"{"success":true}"#,
        r#"{"isValid":true,"isValid":true}"#,
        r#"{"isValid":true,"payer":{}}"#,
        r#"[{"isValid":true}]"#,
        r#"[true]"#,
        r#"[true,null,null,null,null,null]"#,
        r#""true""#,
    ];
    for text in verify {
        assert!(
            serde_json::from_str::<VerifyResponse>(text).is_err(),
            "{text}"
        );
    }
    for transaction in ["", "  "] {
        let text = format!(r#"{{"success":true,"transaction":"{transaction}","network":"n"}}"#);
        let claim: SettleResponse = serde_json::from_str(&text).expect("reads");
        assert!(!claim.is_settled(), "{text}");
    }
}

#[test]
fn messages_are_objects_and_never_lists() {
    let offer: Offered = serde_json::from_str(r#"["exact","n","1","a","p",60,{}]"#).expect("kept");
    assert!(offer.view().is_none());
    let offer: v1::Offered =
        serde_json::from_str(r#"["exact","n","1","r","","",null,"p",60,"a",null]"#).expect("kept");
    assert!(offer.view().is_none());
    let terms = r#"[2,null,{"url":"u"},[],null]"#;
    assert!(headers::from_text::<PaymentRequired>(terms).is_err());
    let terms = r#"{"x402Version":2,"resource":["u"],"accepts":[]}"#;
    assert!(headers::from_text::<PaymentRequired>(terms).is_err());
    assert!(headers::from_text::<PaymentPayload>("[2,{},{},null,null]").is_err());
    assert!(headers::from_text::<v1::PaymentPayload>(r#"[1,"exact","base",{}]"#).is_err());
    assert!(headers::from_text::<v1::PaymentRequired>("[1,null,[],null]").is_err());
    assert!(serde_json::from_str::<SupportedResponse>("[[]]").is_err());
    assert!(serde_json::from_str::<SupportedResponse>(r#"{"kinds":[[2,"exact","n"]]}"#).is_err());
}

#[test]
fn a_payment_keeps_its_secrets_out_of_debug() {
    let header = base64_of(
        br#"{"x402Version":2,"accepted":{"a":"secret-a"},"payload":{"signature":"secret-b"}}"#,
    );
    let payment = PaymentPayload::from_header(header.as_bytes(), DEFAULT_CAP).expect("decodes");
    assert!(!format!("{payment:?}").contains("secret"));
    let header = base64_of(
        br#"{"x402Version":1,"scheme":"exact","network":"base","payload":{"signature":"secret"}}"#,
    );
    let payment = v1::PaymentPayload::from_header(header.as_bytes(), DEFAULT_CAP).expect("decodes");
    assert!(!format!("{payment:?}").contains("secret"));
}

#[test]
fn accepts_entries_are_echoed_byte_for_byte() {
    let entry = r#"{ "scheme":"exact", "network":"eip155:1","amount":"1","asset":"0xaB","payTo":"0xCd","maxTimeoutSeconds":3e2,"extra":{"z":1.50,"a":null},"new":[1, 2] }"#;
    let text = format!(r#"{{"x402Version":2,"resource":{{"url":"u"}},"accepts":[{entry},7]}}"#);
    let terms: PaymentRequired = headers::from_text(&text).expect("reads");
    assert_eq!(terms.accepts[0].raw().get(), entry);
    assert_eq!(
        terms.accepts[0].view().map(|view| view.max_timeout_seconds),
        Some(300)
    );
    assert!(terms.accepts[1].view().is_none());
    assert!(
        serde_json::to_string(&terms)
            .expect("writes")
            .contains(entry)
    );
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
