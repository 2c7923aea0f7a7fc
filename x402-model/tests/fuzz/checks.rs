//! What must hold for any bytes at all. Shared by the fuzz targets and by the test that replays their corpora.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use x402_model::evm::{EvmPayload, ExactEvmPayload, GasSponsoring, SignedCall};
use x402_model::extension::{PaymentIdentifier, SignIn, SignInMessage, payment_identifier};
use x402_model::manifest::{self, Document};
use x402_model::money::AtomicAmount;
use x402_model::price::{
    Band, Case, CaseValue, Charge, Combine, Dimension, DimensionTable, Due, Facts, Measure, Price,
    PriceModel, PriceUnit, Rounding, Selector, Source, UsageUnit, evaluate, tiered_bounds,
};
use x402_model::wire::headers::{self, DEFAULT_CAP};
use x402_model::wire::{
    FacilitatorCall, Offered, PaymentPayload, PaymentRequired, PlainPayment, SettleResponse,
    SupportedResponse, VerifyResponse, find_match, parse_402, v1,
};

/// The bytes as a header, and as the JSON inside of one.
fn as_headers(data: &[u8]) -> [Vec<u8>; 2] {
    [data.to_vec(), STANDARD.encode(data).into_bytes()]
}

/// Whether there is a number that is not an integer anywhere. The JSON parser reads those to within the last bit
/// only, so they need not read back as the same number; nothing of ours computes with them.
fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(list) => list.iter().any(has_fraction),
        Value::Object(map) => map.values().any(has_fraction),
        _ => false,
    }
}

/// What the reader without a tree takes means the same to the reader of trees.
fn plain(text: &str) {
    let Some(plain) = PlainPayment::read(text) else {
        return;
    };
    let tree = headers::from_text::<Value>(text).unwrap_or_default();
    let member = |key: &str| tree.get(key).cloned().unwrap_or_default();
    assert_eq!(member("x402Version"), 2);
    let extensions = tree.get("extensions").and_then(Value::as_object).cloned();
    assert_eq!(
        plain.extensions().cloned(),
        extensions.filter(|map| !map.is_empty())
    );
    if let Ok(offer) = serde_json::from_value::<Offered>(member("accepted"))
        && plain.accepts(&offer)
    {
        assert_eq!(find_match(&[offer], &member("accepted"), &[]), Some(0));
    }
    if let Some(exact) = plain.exact() {
        assert_eq!(ExactEvmPayload::parse(&member("payload")), Ok(exact));
    }
}

/// Version 2 headers: whatever decodes must encode to something that decodes to the same.
pub(crate) fn headers_v2(data: &[u8]) {
    for header in as_headers(data) {
        if let Ok(value) = headers::decode_value(&header, DEFAULT_CAP) {
            let again = headers::encode(&value)
                .map(|text| headers::decode_value(text.as_bytes(), usize::MAX));
            assert!(has_fraction(&value) || again == Ok(Ok(value)));
        }
        if let Ok(text) = headers::decode_text(&header, DEFAULT_CAP) {
            plain(&text);
        }
        if let Ok(payment) = PaymentPayload::from_header(&header, DEFAULT_CAP) {
            let text = headers::encode(&payment).unwrap_or_default();
            let again = PaymentPayload::from_header(text.as_bytes(), usize::MAX);
            assert!(
                again.is_ok_and(|again| again.accepted.get() == payment.accepted.get()
                    && again.payload.get() == payment.payload.get())
            );
            assert_eq!(
                find_match(&[payment.accepted_value()], &payment.accepted_value(), &[]),
                Some(0)
            );
            let _ = ExactEvmPayload::parse_raw(&payment.payload);
        }
        if let Ok(terms) = headers::decode::<PaymentRequired>(&header, DEFAULT_CAP) {
            let text = headers::encode(&terms).unwrap_or_default();
            let again = headers::decode::<PaymentRequired>(text.as_bytes(), usize::MAX);
            assert!(again.is_ok_and(|again| again.accepts == terms.accepts));
        }
        let _ = headers::decode::<SettleResponse>(&header, DEFAULT_CAP);
        let _ = headers::decode::<VerifyResponse>(&header, DEFAULT_CAP);
        let _ = headers::decode::<SupportedResponse>(&header, DEFAULT_CAP);
        let _ = parse_402(Some(&header), data, DEFAULT_CAP);
    }
}

/// Version 1 headers and bodies.
pub(crate) fn headers_v1(data: &[u8]) {
    for header in as_headers(data) {
        if let Ok(value) = headers::decode_v1::<Value>(&header, DEFAULT_CAP) {
            let again = headers::encode_v1(&value)
                .map(|text| headers::decode_v1::<Value>(text.as_bytes(), usize::MAX));
            assert!(has_fraction(&value) || again == Ok(Ok(value)));
        }
        if let Ok(payment) = v1::PaymentPayload::from_header(&header, DEFAULT_CAP) {
            let text = headers::encode_v1(&payment).unwrap_or_default();
            let again = v1::PaymentPayload::from_header(text.as_bytes(), usize::MAX);
            assert!(again.is_ok_and(|again| again.payload_value() == payment.payload_value()));
        }
    }
    let _ = parse_402(None, data, DEFAULT_CAP);
}

/// Price literals: whatever parses must print as something that parses to the same.
pub(crate) fn price(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    match text.parse::<Price>() {
        Ok(price) => assert_eq!(price.to_string().parse::<Price>(), Ok(price)),
        // The span is cut out of the literal for the error message, so it has to be a valid place in it.
        Err(error) => assert!(text.get(error.span.clone()).is_some(), "{error:?}"),
    }
}

/// Bodies of facilitator calls: what is read is written and read again as the same, and holds objects only.
pub(crate) fn facilitator_call(data: &[u8]) {
    match FacilitatorCall::read(data) {
        Ok(call) => {
            assert!(call.payload.is_object() && call.requirements.is_object());
            let body = serde_json::json!({
                "x402Version": call.x402_version,
                "paymentPayload": call.payload,
                "paymentRequirements": call.requirements,
            });
            let again = FacilitatorCall::read(body.to_string().as_bytes());
            assert!(has_fraction(&body) || again == Ok(call));
        }
        Err(malformed) => assert!(!malformed.code().is_empty()),
    }
}

/// Payloads of the `exact` scheme on EVM: whatever parses must read back from its canonical form.
pub(crate) fn exact_payload(data: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    if let Ok(payload) = ExactEvmPayload::parse(&value) {
        let _ = (
            payload.signature.split(),
            payload.signature.unwrap_erc6492(),
        );
        assert_eq!(ExactEvmPayload::parse(&payload.to_json()), Ok(payload));
    }
}

/// Payloads of every kind on EVM: whatever parses must read back from its canonical form.
pub(crate) fn evm_payload(data: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    if let Ok(payload) = EvmPayload::parse(&value) {
        let again = EvmPayload::parse(&payload.to_json());
        assert_eq!(again.map(|again| again.kind()), Ok(payload.kind()));
        assert_eq!(EvmPayload::parse(&payload.to_json()), Ok(payload));
    }
}

/// The `extensions` of a payment: an approval that is found is found again in what it prints.
pub(crate) fn gas_sponsoring(data: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    if let Ok(Some(found)) = GasSponsoring::find(value.as_object()) {
        let (key, info) = match &found {
            GasSponsoring::Eip2612(info) => ("eip2612GasSponsoring", info.to_json()),
            GasSponsoring::Erc20Approval(info) => ("erc20ApprovalGasSponsoring", info.to_json()),
        };
        let again = serde_json::json!({key: {"info": info}});
        assert_eq!(GasSponsoring::find(again.as_object()), Ok(Some(found)));
    }
}

/// Hex digits as bytes, so that the corpus of a binary form can be read by people.
fn unhex(data: &[u8]) -> Option<Vec<u8>> {
    let digits = core::str::from_utf8(data).ok()?;
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// Signed transactions, raw or in hex: whatever is read prints as the very bytes it was read from.
pub(crate) fn signed_call(data: &[u8]) {
    for bytes in [Some(data.to_vec()), unhex(data)].into_iter().flatten() {
        if let Ok(signed) = SignedCall::decode(&bytes) {
            assert_eq!(signed.encode(), bytes);
            assert!(signed.signature.is_low_s());
        }
    }
}

/// Sign-in texts and headers, and payment ids: a text that is read is written as the same text, and a header's message too.
pub(crate) fn sign_in(data: &[u8]) {
    for header in as_headers(data) {
        if let Ok(sign_in) = SignIn::from_header(&header, DEFAULT_CAP) {
            let again = sign_in.to_header().unwrap_or_default();
            assert_eq!(
                SignIn::from_header(again.as_bytes(), usize::MAX),
                Ok(sign_in.clone())
            );
            let _ = sign_in.proof();
            if let Ok(text) = sign_in.message.text() {
                assert_eq!(
                    SignInMessage::parse(&text).and_then(|read| read.text()),
                    Ok(text)
                );
            }
        }
    }
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    if let Ok(message) = SignInMessage::parse(text) {
        assert_eq!(message.text().as_deref(), Ok(text));
    }
    if let Ok(Value::Object(extensions)) = serde_json::from_str(text)
        && let Ok(Some(id)) = payment_identifier::read(Some(&extensions))
    {
        assert_eq!(PaymentIdentifier::parse(id.as_str()), Some(id));
    }
}

fn usd(text: &str) -> Price {
    Price {
        amount: text.parse().unwrap_or(x402_model::money::Decimal::ONE),
        unit: PriceUnit::Usd,
    }
}

/// Two texts with the first as default, a size, and a parameter that is a number.
fn tiers() -> Option<PriceModel> {
    let case = |text: &'static str, amount| Case {
        equals: CaseValue::Text(text.into()),
        charge: Charge::Amount(usd(amount)),
    };
    let band = |end: Option<&str>, amount| Band {
        up_to: end.map(|end| usd(end).amount),
        charge: Charge::Amount(usd(amount)),
    };
    let dimensions = vec![
        Dimension {
            by: Selector::at(Source::Body, "/a/quality").or(CaseValue::Text("fast".into())),
            table: DimensionTable::Cases(vec![case("fast", "0.01"), case("best", "0.5")].into()),
        },
        Dimension {
            by: Selector::at(Source::Body, "/n").or(CaseValue::Integer(0)),
            table: DimensionTable::Bands(vec![band(Some("10"), "0"), band(None, "1")].into()),
        },
        Dimension {
            by: Selector::at(Source::Query, "q")
                .measured(Measure::Chars)
                .or(CaseValue::Integer(0)),
            table: DimensionTable::Bands(vec![band(Some("10"), "0"), band(None, "3")].into()),
        },
    ];
    let bounds = tiered_bounds(&dimensions, Combine::Sum, &[]).ok()?;
    Some(PriceModel::Tiered {
        dimensions: dimensions.into(),
        combine: Combine::Sum,
        rebates: vec![].into(),
        bounds,
    })
}

fn metered() -> PriceModel {
    let unit = UsageUnit {
        id: "tokens".into(),
        per: 1000,
        amount: usd("0.002"),
        meter: Selector::at(Source::ResponseBody, "/usage/0/tokens"),
        estimate: Some(
            Selector::at(Source::Body, "/prompt")
                .measured(Measure::Bytes)
                .divided_by(3),
        ),
    };
    PriceModel::Usage {
        base: None,
        units: vec![unit].into(),
        rounding: Rounding::UpToAtomic,
        headroom: usd("1.25").amount,
        ceiling: usd("0.02"),
    }
}

/// Query, a zero byte, and a body: what has a price has the one of the values that the handler's reader sees.
pub(crate) fn request_price(data: &[u8]) {
    let Some(model) = tiers() else { return };
    let (query, body) = match data.iter().position(|byte| *byte == 0) {
        Some(at) => data.split_at(at),
        None => (&[][..], data),
    };
    let body = body.strip_prefix(&[0]).unwrap_or(body);
    let query = String::from_utf8_lossy(query);
    let facts = Facts::new().query(&*query).body(body);
    match evaluate(&model, &facts, &[]) {
        Ok(Due::Exact(price)) => {
            assert_eq!(
                model.quoted(price.clone()),
                Ok(price.clone()),
                "inside the bounds"
            );
            assert!(price.amount.to_atomic(6).is_ok());
            // Trees hold no numbers out of range, which typed readers skip.
            if let Ok(tree) = serde_json::from_slice::<Value>(body) {
                let quality = tree.pointer("/a/quality").and_then(Value::as_str);
                let best = price.amount.to_string().ends_with('5');
                assert_eq!(quality.unwrap_or("fast") == "best", best);
            }
        }
        Ok(other) => assert!(matches!(other, Due::Exact(_)), "{other:?}"),
        Err(error) => assert!(error.is_of_the_request() && !error.to_string().is_empty()),
    }
    let metered = metered();
    if let Ok(Due::UpTo(ceiling)) = evaluate(&metered, &facts, &[]) {
        assert!(
            ceiling
                .on(6)
                .is_ok_and(|units| units <= AtomicAmount::from_u128(20_000))
        );
    }
    let answered = Facts::new().answer([], body);
    if let Ok(quantities) = metered.quantities(&answered) {
        let signed = AtomicAmount::from_u128(15_000);
        assert!(
            metered
                .metered(&quantities, 6, signed)
                .is_ok_and(|units| units <= signed)
        );
    }
    let _ = Facts::of_example(&query);
}

/// Manifests: whatever is read has one canonical spelling, which reads as the same document, prices that can be asked for, views, and
/// no difference from itself.
pub(crate) fn manifest(data: &[u8]) {
    if let Ok(value) = manifest::read_json(data, manifest::MAX_BYTES) {
        let canonical = manifest::canonical(&value);
        let again = manifest::read_json(canonical.as_bytes(), usize::MAX).unwrap_or_default();
        assert_eq!(manifest::canonical(&again), canonical);
    }
    let Ok(document) = Document::read(data) else {
        return;
    };
    let _ = document.signed_by(0, |_, _| None);
    let view = document.manifest();
    let _ = manifest::views::all(view);
    for change in manifest::diff::compare(view, view).changes {
        assert_eq!(change.what, "too much to compare");
    }
    for endpoint in &view.endpoints {
        if let Ok(Some(model)) = view.price_model(endpoint) {
            let _ = evaluate(&model, &Facts::new().body(data), &[]);
        }
    }
}
