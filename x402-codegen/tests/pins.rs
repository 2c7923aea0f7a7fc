//! What a manifest says of its tokens is believed as far as nothing else is known of them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first thing that is not as expected"
)]

mod support;

use serde_json::{Value, json};

/// The pins and warnings of the manifest of a case with one change in its only token.
fn pinned(case: &str, change: impl FnOnce(&mut Value)) -> (usize, Vec<String>) {
    let mut manifest: Value = serde_json::from_slice(&support::manifest(case)).unwrap();
    manifest.as_object_mut().unwrap().remove("integrity");
    change(&mut manifest);
    let model = x402_codegen::read(&serde_json::to_vec(&manifest).unwrap()).unwrap();
    let told = model.warnings.into_iter();
    (
        model.pins.len(),
        told.filter(|one| one.starts_with("/rails/")).collect(),
    )
}

const UNKNOWN: &str = "0x00000000000000000000000000000000000074e5";

#[test]
fn a_known_token_is_what_it_is_whatever_a_manifest_says() {
    assert_eq!(pinned("keywords", |_| ()), (1, vec![]));
    for (name, wrong, told) in [
        ("decimals", json!(18), "has 6 decimals, and not 18"),
        ("decimals", json!(2), "has 6 decimals, and not 2"),
        ("usdPeg", json!("0.0001"), "stands for one dollar"),
        ("usdPeg", json!("2"), "stands for one dollar"),
        ("usdPeg", Value::Null, "stands for one dollar"),
    ] {
        let (pins, warnings) = pinned("keywords", |manifest| {
            for asset in manifest["assets"].as_object_mut().unwrap().values_mut() {
                asset[name] = wrong.clone();
            }
        });
        assert_eq!((pins, warnings.len()), (0, 1), "{name} {wrong}");
        assert!(warnings[0].contains(told), "{warnings:?}");
    }
}

#[test]
fn a_token_pays_for_the_currency_that_it_stands_for() {
    let changed = |currency: &str, address: Option<&str>, peg: Value| {
        let change = |manifest: &mut Value| {
            manifest["currency"] = json!(currency);
            for asset in manifest["assets"].as_object_mut().unwrap().values_mut() {
                asset["usdPeg"] = peg.clone();
                if let Some(address) = address {
                    asset["address"] = json!(address);
                }
            }
        };
        pinned("keywords", change).0
    };
    assert_eq!(changed("USD", Some(UNKNOWN), json!("1")), 1);
    assert_eq!(
        changed("USD", Some(UNKNOWN), Value::Null),
        0,
        "a token of any worth"
    );
    assert_eq!(changed("USD", Some(UNKNOWN), json!("0")), 0);
    assert_eq!(changed("EUR", Some(UNKNOWN), Value::Null), 1);
    assert_eq!(
        changed("EUR", Some(UNKNOWN), json!("1")),
        0,
        "a dollar is no euro"
    );
    assert_eq!(changed("JPY", None, Value::Null), 0, "nor is it a yen");
}
