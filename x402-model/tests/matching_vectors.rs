//! Matching of accepted terms and of echoed extensions against the recorded answers of the reference packages.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a test may stop at the first thing that is not as expected"
)]

#[path = "support/more_matching.rs"]
mod more;
#[path = "support/vectors.rs"]
mod vectors;

use serde_json::{Map, Value, json};
use vectors::{Case, Vectors, same};
use x402_model::wire::{Offered, PaymentRequirements, check_echo, find_match};

#[test]
fn every_matching_case() {
    run(&Vectors::parse(include_str!("data/matching.json")));
}

fn run(file: &Vectors) {
    file.check(|case| {
        if case.input.get("available").is_some() {
            matching(case)
        } else if case.expected.get("valid").is_some() {
            echo(case)
        } else {
            Err("unknown kind of case".to_owned())
        }
    });
}

fn names(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn matching(case: Case<'_>) -> Result<(), String> {
    let offers = case.input["available"]
        .as_array()
        .ok_or("available is not a list")?;
    let dynamic = names(&case.input["dynamicExtraFields"]);
    let ours = find_match(offers, &case.input["accepted"], &dynamic);
    let theirs = usize::try_from(case.expected["index"].as_i64().unwrap_or(-1)).ok();
    same("index", ours, theirs)?;
    same(
        "matched",
        Some(ours.is_some()),
        case.expected["matched"].as_bool(),
    )?;
    // The same through offers as they are read from the wire.
    let offers: Vec<Offered> = offers
        .iter()
        .map(|offer| serde_json::from_str(&offer.to_string()))
        .collect::<Result<_, _>>()
        .map_err(|e| e.to_string())?;
    same(
        "index through Offered",
        find_match(&offers, &case.input["accepted"], &dynamic),
        theirs,
    )
}

fn echo(case: Case<'_>) -> Result<(), String> {
    let dynamic = names(&case.input["dynamicInfoFields"]);
    let advertised = case.input["serverExtensions"].as_object();
    let echoed = case.input["clientExtensions"].as_object();
    let ours = check_echo(advertised, echoed, &|_| dynamic.as_slice());
    let theirs = match case.expected["valid"].as_bool() {
        Some(true) => Ok(()),
        _ => Err(case.expected["extensionKey"]
            .as_str()
            .unwrap_or_default()
            .to_owned()),
    };
    same("echo", ours, theirs)
}

fn terms() -> Value {
    json!({
        "scheme": "exact", "network": "eip155:84532", "amount": "10000", "asset": "0xAb", "payTo": "0xCd",
        "maxTimeoutSeconds": 300, "extra": {"name": "USDC", "version": "2", "nested": {"list": [1, {"a": 1}]}},
    })
}

fn matches(change: impl FnOnce(&mut Value)) -> bool {
    let mut accepted = terms();
    change(&mut accepted);
    find_match(&[terms()], &accepted, &[]).is_some()
}

#[test]
fn every_core_member_counts_and_text_counts_exactly() {
    for key in [
        "scheme",
        "network",
        "amount",
        "asset",
        "payTo",
        "maxTimeoutSeconds",
    ] {
        assert!(
            !matches(|t| {
                t.as_object_mut().expect("object").remove(key);
            }),
            "{key} removed"
        );
        assert!(!matches(|t| t[key] = Value::Null), "{key} null");
        assert!(!matches(|t| t[key] = json!("other")), "{key} changed");
    }
    assert!(!matches(|t| t["asset"] = json!("0xab")));
    assert!(!matches(|t| t["maxTimeoutSeconds"] = json!("300")));
    assert!(!matches(|t| t["foo"] = Value::Null));
    for not_terms in [json!(null), json!([]), json!("x"), json!({})] {
        assert_eq!(find_match(&[terms()], &not_terms, &[]), None);
    }
}

#[test]
fn one_number_has_many_spellings() {
    for spelling in ["300", "300.0", "3e2", "30.0e1"] {
        let number: Value = serde_json::from_str(spelling).expect("JSON");
        assert!(matches(|t| t["maxTimeoutSeconds"] = number), "{spelling}");
    }
    assert!(!matches(|t| t["maxTimeoutSeconds"] = json!(300.5)));
}

#[test]
fn extra_may_grow_but_lists_inside_may_not() {
    assert!(matches(|t| t["extra"]["nested"]["more"] = json!(1)));
    assert!(!matches(
        |t| t["extra"]["nested"]["list"] = json!([1, {"a": 1, "b": 2}])
    ));
    assert!(!matches(
        |t| t["extra"]["nested"]["list"] = json!([1, {"a": 1}, 2])
    ));
    assert!(!matches(|t| t["extra"] = json!([])));
    assert!(!matches(|t| t["extra"] = Value::Null));
    let bare = json!({"scheme": "exact", "extra": {}});
    assert_eq!(
        find_match(
            std::slice::from_ref(&bare),
            &json!({"scheme": "exact"}),
            &[]
        ),
        Some(0)
    );
    assert_eq!(
        find_match(
            std::slice::from_ref(&bare),
            &json!({"scheme": "exact", "extra": null}),
            &[]
        ),
        Some(0)
    );
    assert_eq!(
        find_match(&[json!({"scheme": "exact"})], &bare, &[]),
        Some(0)
    );
    assert_eq!(
        find_match(&[bare], &json!({"scheme": "exact", "extra": "x"}), &[]),
        None
    );
}

#[test]
fn our_own_offers_match_themselves() {
    let offer = Offered::new(PaymentRequirements {
        scheme: "exact".into(),
        network: "eip155:1".into(),
        amount: "1".into(),
        asset: "0xAb".into(),
        pay_to: "0xCd".into(),
        max_timeout_seconds: 60,
        extra: Map::new(),
    });
    let accepted: Value = serde_json::from_str(offer.raw().get()).expect("our own text is JSON");
    assert_eq!(find_match(&[offer], &accepted, &[]), Some(0));
}

fn echo_of(advertised: Value, echoed: Value) -> Result<(), String> {
    check_echo(advertised.as_object(), echoed.as_object(), &|_| &[])
}

fn codes(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("c{n}")).collect()
}

#[test]
fn builder_codes_grow_to_ten_and_the_application_code_stays_the_sellers() {
    let key = || Err("builder-code".to_owned());
    let of = |info: Value| json!({"builder-code": {"info": info}});
    assert_eq!(
        echo_of(of(json!({"s": ["c1"]})), of(json!({"s": codes(10)}))),
        Ok(())
    );
    assert_eq!(
        echo_of(of(json!({"s": ["c1"]})), of(json!({"s": codes(11)}))),
        key()
    );
    assert_eq!(
        echo_of(of(json!({"s": ["x"]})), of(json!({"s": codes(3)}))),
        key()
    );
    assert_eq!(
        echo_of(of(json!({"s": "c1"})), of(json!({"s": codes(3)}))),
        Ok(())
    );
    assert_eq!(
        echo_of(of(json!({"s": ["c1"]})), of(json!({"s": "c1"}))),
        Ok(())
    );
    assert_eq!(echo_of(of(json!({"s": ["c1"]})), of(json!({}))), key());
    // Without a list on either side there is nothing to add to: then the value comes back as it is.
    assert_eq!(
        echo_of(of(json!({"s": null})), of(json!({"s": null}))),
        Ok(())
    );
    assert_eq!(
        echo_of(of(json!({"s": "c1"})), of(json!({"s": "c1"}))),
        Ok(())
    );
    assert_eq!(
        echo_of(of(json!({"s": "c1"})), of(json!({"s": "c2"}))),
        key()
    );
    assert_eq!(
        echo_of(of(json!({"s": null})), of(json!({"s": ["c1"]}))),
        key()
    );
    assert_eq!(
        echo_of(
            of(json!({"a": "app"})),
            of(json!({"a": "app", "s": ["c1"]}))
        ),
        Ok(())
    );
    assert_eq!(
        echo_of(of(json!({"a": "app"})), of(json!({"a": "mine"}))),
        key()
    );
    assert_eq!(
        echo_of(of(json!({"s": []})), of(json!({"s": [], "a": "mine"}))),
        key()
    );
    // Also when the seller does not know the extension at all.
    assert_eq!(echo_of(json!({}), of(json!({"a": "mine"}))), key());
    assert_eq!(echo_of(json!({}), of(json!({"s": codes(10)}))), Ok(()));
    assert_eq!(echo_of(json!({}), of(json!({"s": codes(11)}))), key());
}

#[test]
fn other_extensions_are_compared_by_their_info() {
    let err = || Err("e".to_owned());
    assert_eq!(
        echo_of(
            json!({"e": {"info": {"a": null}}}),
            json!({"e": {"info": {}}})
        ),
        Ok(())
    );
    assert_eq!(
        echo_of(json!({"e": {"a": 1}}), json!({"e": {"a": 1, "b": 2}})),
        Ok(())
    );
    assert_eq!(
        echo_of(json!({"e": {"a": 1}}), json!({"e": {"a": 2}})),
        err()
    );
    assert_eq!(
        echo_of(json!({"e": {"info": {"a": 1}}}), json!({"e": null})),
        err()
    );
    assert_eq!(
        echo_of(
            json!({"e": {"info": {"a": 1}}}),
            json!({"e": {"info": [1]}})
        ),
        err()
    );
    assert_eq!(
        echo_of(json!({"e": {"info": {"a": 1}}}), json!({"f": 7})),
        Ok(())
    );
    assert_eq!(
        echo_of(
            json!({"e": {"info": {"s": ["c1"]}}}),
            json!({"e": {"info": {"s": ["c1", "c2"]}}})
        ),
        err()
    );
    assert_eq!(check_echo(None, None, &|_| &[]), Ok(()));
}
