//! The classifier of changes against its vectors.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first thing that is not as expected"
)]

use serde_json::{Value, json};
use x402_model::manifest::Manifest;
use x402_model::manifest::diff::{Bump, Money, Wire, compare};

const EXAMPLE: &str = include_str!("manifest/manifest.json");
const VECTORS: &str = include_str!("manifest/diff-vectors.json");

fn manifest(value: Value) -> Manifest {
    serde_json::from_value(value).unwrap()
}

fn set(document: &mut Value, pointer: &str, value: Option<&Value>) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match (document.pointer_mut(parent).unwrap(), value) {
        (Value::Object(members), Some(value)) => {
            drop(members.insert(name.to_owned(), value.clone()))
        }
        (Value::Object(members), None) => drop(members.remove(name)),
        (Value::Array(items), Some(value)) => items[name.parse::<usize>().unwrap()] = value.clone(),
        (Value::Array(items), None) => drop(items.remove(name.parse().unwrap())),
        _ => panic!("{pointer}"),
    }
}

#[test]
fn every_vector_gets_its_verdict() {
    let example: Value = serde_json::from_str(EXAMPLE).unwrap();
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() >= 36);
    let mut wrong = Vec::new();
    for case in cases {
        let mut changed = example.clone();
        for (pointer, value) in case["set"].as_object().into_iter().flatten() {
            set(&mut changed, pointer, Some(value));
        }
        for pointer in case["remove"].as_array().into_iter().flatten() {
            set(&mut changed, pointer.as_str().unwrap(), None);
        }
        let verdict = compare(&manifest(example.clone()), &manifest(changed));
        let found = format!(
            "{} {} {} {}",
            verdict.wire.as_str(),
            verdict.money.as_str(),
            verdict.stop,
            verdict.bump.as_str()
        );
        let text = |name: &str| case[name].as_str().unwrap().to_owned();
        let wanted = format!(
            "{} {} {} {}",
            text("wire"),
            text("money"),
            case["stop"],
            text("bump")
        );
        if found != wanted {
            wrong.push(format!(
                "{}: found {found}, wanted {wanted}: {:?}",
                text("id"),
                verdict.changes
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_changed_is_nothing() {
    let example = manifest(serde_json::from_str(EXAMPLE).unwrap());
    let verdict = compare(&example, &example);
    assert_eq!(
        (verdict.wire, verdict.money, verdict.bump),
        (Wire::None, Money::None, Bump::None)
    );
    assert!(verdict.changes.is_empty() && verdict.is_safe_to_pay() && !verdict.needs_notice());
}

/// The example with these shared schemas, and this schema of the first endpoint's answer.
fn answering(shared: &Value, answer: &Value) -> Manifest {
    let mut document: Value = serde_json::from_str(EXAMPLE).unwrap();
    set(&mut document, "/schemas", Some(shared));
    set(&mut document, "/endpoints/0/output/schema", Some(answer));
    manifest(document)
}

fn assert_gave_up(old: &Manifest, new: &Manifest) {
    let verdict = compare(old, new);
    let told = verdict.changes.iter();
    let told = told.filter(|change| change.what == "too much to compare");
    assert_eq!(told.count(), 1, "{:?}", verdict.changes.first());
    assert!(verdict.wire == Wire::Major && !verdict.is_safe_to_pay());
}

#[test]
fn a_reference_to_itself_is_too_much_and_no_overflow() {
    let circle = json!({"A": {"$ref": "#/schemas/A"}});
    let old = answering(&circle, &json!({"$ref": "#/schemas/A"}));
    let new = answering(&circle, &json!({"type": "string"}));
    assert_gave_up(&old, &new);
    assert_gave_up(&new, &old);
}

#[test]
fn circles_of_different_lengths_are_too_much_and_no_overflow() {
    let circle = |length: usize| {
        let one = |at: usize| {
            let next = format!("#/schemas/S{}", (at + 1) % length);
            let schema = json!({"type": "object", "properties": {"next": {"$ref": next}}});
            (format!("S{at}"), schema)
        };
        let shared: serde_json::Map<_, _> = (0..length).map(one).collect();
        answering(&shared.into(), &json!({"$ref": "#/schemas/S0"}))
    };
    assert_gave_up(&circle(140), &circle(141));
    let verdict = compare(&circle(3), &circle(4));
    assert!(verdict.is_safe_to_pay(), "{:?}", verdict.changes);
}

#[test]
fn a_change_behind_much_padding_is_not_safe() {
    let padded = |kind: &str| {
        let mut all = vec![json!({}); 250_000];
        all.push(json!({"type": kind}));
        answering(&json!({}), &json!({"allOf": all}))
    };
    assert_gave_up(&padded("string"), &padded("integer"));
}

#[test]
fn members_of_one_schema_are_told_a_bounded_number_of_times() {
    let big: serde_json::Map<_, _> = (0..20_000)
        .map(|at| (format!("m{at}"), json!(true)))
        .collect();
    let shared = json!({"Big": {"properties": big}});
    let often = |one: Value| json!({"allOf": vec![one; 5_000]});
    let old = answering(&shared, &often(json!({"$ref": "#/schemas/Big"})));
    let new = answering(&shared, &often(json!({"properties": {}})));
    assert_gave_up(&old, &new);
    assert!(compare(&old, &new).changes.len() < 300_000);
}

#[test]
fn long_lists_of_values_are_compared_in_good_time() {
    let values = |from: u32| {
        let values: Vec<u32> = (from..from + 60_000).rev().collect();
        answering(&json!({}), &json!({"enum": values}))
    };
    let verdict = compare(&values(0), &values(1));
    let told: Vec<&str> = verdict.changes.iter().map(|it| &*it.what).collect();
    assert_eq!(told, ["a value is gone", "a new value"]);
}

/// The example with a default rule, and the first endpoint's own.
fn ruled(name: &str, default: &Value, own: Option<&Value>) -> Manifest {
    let mut document: Value = serde_json::from_str(EXAMPLE).unwrap();
    set(&mut document, &format!("/defaults/{name}"), Some(default));
    set(&mut document, &format!("/endpoints/0/{name}"), own);
    manifest(document)
}

fn told(old: &Manifest, new: &Manifest) -> Vec<String> {
    let changes = compare(old, new).changes.into_iter();
    changes.map(|change| change.what).collect()
}

#[test]
fn a_moment_of_payment_that_falls_back_to_the_default_is_compared_with_it() {
    let late = json!({"when": "after-success", "on": ["2xx"]});
    let early = json!({"when": "before", "on": ["2xx"]});
    let fallen = |own: Option<&Value>| ruled("charge", &early, own);
    let verdict = compare(&fallen(Some(&late)), &fallen(None));
    assert_eq!(verdict.changes[0].what, "money moves earlier");
    assert!(verdict.stop && !verdict.is_safe_to_pay());
    // What was the default is written out.
    let same = compare(&fallen(None), &fallen(Some(&early)));
    assert!(same.is_safe_to_pay(), "{:?}", same.changes);
    assert_eq!(
        told(&fallen(None), &fallen(Some(&late))),
        ["money moves later"]
    );
}

#[test]
fn an_id_that_only_one_side_requires_for_itself_is_compared_with_the_default() {
    let rule = |required| json!({"mechanisms": ["payment"], "required": required});
    let free = |own: Option<&Value>| ruled("idempotency", &rule(false), own);
    let bound = |own: Option<&Value>| ruled("idempotency", &rule(true), own);
    let required = ["an id became required"];
    assert_eq!(told(&free(None), &free(Some(&rule(true)))), required);
    assert_eq!(told(&bound(Some(&rule(false))), &bound(None)), required);
    assert_eq!(told(&bound(None), &bound(Some(&rule(true)))), ["words"]);
}

#[test]
fn a_timeout_that_becomes_charged_is_a_stop() {
    let rule = |timeout| json!({"when": "after-success", "on": ["2xx"], "onTimeout": timeout});
    let (spared, charged) = (rule("not-charged"), rule("charged"));
    let told = compare(
        &ruled("charge", &spared, None),
        &ruled("charge", &spared, Some(&charged)),
    );
    assert_eq!(told.changes[0].what, "a timeout became charged");
    assert!(told.stop);
}

/// The example whose second endpoint takes or gives this schema.
fn about(side: &str, schema: &Value, shared: &Value) -> Manifest {
    let mut document: Value = serde_json::from_str(EXAMPLE).unwrap();
    let at = format!("/endpoints/1/{side}/schema");
    set(&mut document, &at, Some(schema));
    set(&mut document, "/schemas", Some(shared));
    set(&mut document, "/endpoints/1/examples", None);
    let mut manifest = manifest(document);
    manifest.endpoints.swap(0, 1);
    manifest.endpoints.truncate(1);
    manifest
}

/// Schemas with shared ones beside them. More is allowed by the first than by the second.
fn more_and_less() -> Value {
    let short = |most: u64| json!({ "A/b": { "type": "string", "maxLength": most } });
    let local = |most: u64| {
        json!({
            "properties": { "a": { "$ref": "#/$defs/A" } },
            "$defs": { "A": { "properties": { "b": { "maxLength": most } } } },
        })
    };
    let to = json!({ "$ref": "#/schemas/A~1b" });
    json!([
        [[{ "type": "array" }, {}], [{ "type": "array", "items": { "type": "string" } }, {}]],
        [[{ "items": { "type": "string" } }, {}], [{ "items": false }, {}]],
        [[{ "type": "array" }, {}], [{ "type": "array", "oneOf": [{ "minItems": 1 }] }, {}]],
        [[{}, {}], [{ "allOf": [{ "maxLength": 1 }] }, {}]],
        [[{}, {}], [{ "contains": { "const": 1 } }, {}]],
        [[{}, {}], [{ "dependentRequired": { "a": ["b"] } }, {}]],
        [[{ "if": true }, {}], [{ "if": true, "then": { "maxLength": 1 } }, {}]],
        [[local(9), {}], [local(3), {}]],
        [[to, short(9)], [to, short(3)]],
        [[{ "$ref": "#/%73chemas/A~1b" }, short(9)], [to, short(3)]],
        [[to, short(9)], [{ "$ref": "#/schemas/A~1b", "maxLength": 3 }, short(9)]],
        [[{ "not": to }, short(3)], [{ "not": to }, short(9)]],
        [[{ "anyOf": [to, { "type": "null" }] }, short(9)], [{ "anyOf": [to] }, short(3)]],
    ])
}

#[test]
fn less_in_a_request_and_more_in_an_answer_breaks_wherever_it_is_said() {
    for case in more_and_less().as_array().unwrap() {
        let verdict = |side, old: &Value, new: &Value| {
            let [old, new] = [old, new].map(|one| about(side, &one[0], &one[1]));
            compare(&old, &new)
        };
        let (more, less) = (&case[0], &case[1]);
        let request = verdict("input/body", more, less);
        assert_eq!(request.wire, Wire::Major, "{case} {:?}", request.changes);
        let answer = verdict("output", less, more);
        assert_eq!(answer.wire, Wire::Major, "{case} {:?}", answer.changes);
        let same = verdict("output", less, less);
        assert_eq!(same.wire, Wire::None, "{case} {:?}", same.changes);
    }
}

#[test]
fn what_is_not_understood_breaks_when_it_changes() {
    let none = json!({});
    let about = |schema: &Value| about("output", schema, &none);
    for (old, new) in [
        (
            json!({ "$dynamicRef": "#a" }),
            json!({ "$dynamicRef": "#b" }),
        ),
        (json!({ "futureRule": 1 }), json!({})),
        (json!({}), json!({ "futureRule": 1 })),
        (
            json!({ "$ref": "https://a.example" }),
            json!({ "$ref": "https://b.example" }),
        ),
        (
            json!({ "$ref": "#/$defs/A" }),
            json!({ "$ref": "#/$defs/A", "$defs": { "A": {} } }),
        ),
    ] {
        assert_eq!(
            compare(&about(&old), &about(&new)).wire,
            Wire::Major,
            "{new}"
        );
        assert_eq!(
            compare(&about(&new), &about(&new)).wire,
            Wire::None,
            "{new}"
        );
    }
    for word in [
        "title",
        "description",
        "$comment",
        "examples",
        "x-note",
        "deprecated",
    ] {
        let told = compare(&about(&json!({})), &about(&json!({ word: ["a"] })));
        assert_eq!(told.wire, Wire::Patch, "{word} {:?}", told.changes);
    }
}
