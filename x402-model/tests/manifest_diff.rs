//! The classifier of changes against its vectors.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first thing that is not as expected"
)]

use serde_json::Value;
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
