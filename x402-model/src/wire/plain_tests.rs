//! The plain reader says nothing, or what the reader of trees says.

use serde_json::json;

use super::*;
use crate::wire::find_match;

fn terms() -> PaymentRequirements {
    PaymentRequirements {
        scheme: "exact".to_owned(),
        network: "eip155:84532".to_owned(),
        amount: "10000".to_owned(),
        asset: "0x036CbD53842c5426634e7929541eC2318f3dCF7e".to_owned(),
        pay_to: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8".to_owned(),
        max_timeout_seconds: 300,
        extra: json!({ "name": "USDC", "version": "2" })
            .as_object()
            .cloned()
            .unwrap_or_default(),
    }
}

fn payment() -> Value {
    json!({
        "x402Version": 2,
        "accepted": terms(),
        "payload": {
            "signature": format!("0x{}", "ab".repeat(65)),
            "authorization": {
                "from": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
                "to": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
                "value": "10000", "validAfter": "0", "validBefore": "0x6ab13b6c",
                "nonce": format!("0x{}", "07".repeat(32)),
            },
        },
        "resource": { "url": "https://api.example.com/w", "description": "a \"b\" ü", "mimeType": null, "tags": ["x"] },
    })
}

/// Every way to replace, remove, double or retype one member at a time, at any depth, as text.
fn mutations(value: &Value) -> Vec<String> {
    let odd = [
        json!(null),
        json!(true),
        json!(2),
        json!(2.0),
        json!(300.0),
        json!(-1),
        json!(""),
        json!("exact"),
        json!("0x"),
        json!("10000 "),
        json!([]),
        json!(["exact"]),
        json!({}),
        json!({ "name": "USDC" }),
        json!("\"\\"),
    ];
    let mut all: Vec<String> = odd.iter().map(Value::to_string).collect();
    if let Value::Object(map) = value {
        for (key, inner) in map {
            let mut without = map.clone();
            without.remove(key);
            all.push(Value::Object(without.clone()).to_string());
            let rest = Value::Object(without).to_string();
            let rest = rest
                .trim_start_matches('{')
                .trim_end_matches(char::is_whitespace);
            let with = |inner: &str| match rest {
                "}" => format!("{{{}:{inner}}}", json!(key)),
                rest => format!("{{{}:{inner},{rest}", json!(key)),
            };
            all.extend(mutations(inner).iter().map(|changed| with(changed)));
            // Twice: which of the two counts is a matter of the reader.
            all.push(with(&inner.to_string()).replacen(
                '{',
                &format!("{{{}:\"other\",", json!(key)),
                1,
            ));
            all.push(with(&inner.to_string()).replacen('{', "{\"more\":1e999,", 1));
        }
        let members: Vec<String> = map.values().map(Value::to_string).collect();
        all.push(format!("[{}]", members.join(",")));
    }
    all
}

/// What the reader of trees makes of a text: whether it accepts the offer, and what was signed.
fn tree(text: &str, offer: &Offered) -> (bool, Option<ExactEvmPayload>) {
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return (false, None);
    };
    let version = value.get("x402Version") == Some(&json!(2));
    let accepted = value.get("accepted").unwrap_or(&Value::Null);
    let found = find_match(std::slice::from_ref(offer), accepted, &[]).is_some();
    let exact = value
        .get("payload")
        .and_then(|payload| ExactEvmPayload::parse(payload).ok());
    (version && found, exact)
}

#[test]
fn common_spelling_is_read() {
    let offer = Offered::new(terms());
    let text = payment().to_string();
    let plain = PlainPayment::read(&text).unwrap();
    assert!(plain.accepts(&offer));
    assert_eq!((true, plain.exact()), tree(&text, &offer));
    assert_eq!(plain.raw().as_str(), text);
    let spaced = format!(" {text}\n");
    assert_eq!(PlainPayment::read(&spaced).unwrap().raw().as_str(), text);
    assert!(!format!("{plain:?}").contains("0x"));
}

#[test]
fn nothing_is_taken_that_a_tree_would_not_be_taken_for() {
    let offer = Offered::new(terms());
    let (mut taken, mut left, mut canonical) = (0, 0, 0);
    let mut well_spelt = payment();
    well_spelt["payload"]["authorization"]["validBefore"] = json!("1790000300");
    for text in [payment(), well_spelt].iter().flat_map(mutations) {
        let Some(plain) = PlainPayment::read(&text) else {
            left += 1;
            continue;
        };
        taken += 1;
        let (accepted, exact) = tree(&text, &offer);
        assert_eq!(plain.accepts(&offer), accepted, "{text}");
        if let Some(read) = plain.exact() {
            let value: Value = serde_json::from_str(&text).unwrap();
            canonical += usize::from(plain.is_canonical());
            assert!(
                !plain.is_canonical() || read.to_json() == value["payload"],
                "{text}"
            );
            assert_eq!(Some(read), exact, "{text}");
        }
    }
    assert!(taken > 30 && left > 150, "{taken} taken, {left} left");
    assert!(canonical > 10, "{canonical} canonical");
}

#[test]
fn offers_with_more_than_is_known_are_left_to_the_tree() {
    let text = payment().to_string();
    let plain = PlainPayment::read(&text).unwrap();
    let offer = |change: &dyn Fn(&mut Value)| {
        let mut entry = json!(terms());
        change(&mut entry);
        serde_json::from_value::<Offered>(entry).unwrap()
    };
    assert!(plain.accepts(&offer(&|_| {})));
    assert!(plain.accepts(&offer(&|entry| entry["extra"] = json!({}))));
    assert!(!plain.accepts(&offer(&|entry| entry["new"] = json!(1))));
    assert!(!plain.accepts(&offer(&|entry| entry["extra"]["new"] = json!("1"))));
    assert!(!plain.accepts(&offer(&|entry| entry["amount"] = json!("10001"))));
    assert!(!plain.accepts(&offer(
        &|entry| entry["payTo"] = json!("0x70997970c51812dc3a010c7d01b50e0d17dc79c8")
    )));
}
