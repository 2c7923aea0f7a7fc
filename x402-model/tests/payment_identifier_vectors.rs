//! The `payment-identifier` extension against the recorded answers of the reference package.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a test may stop at the first thing that is not as expected"
)]

#[path = "support/vectors.rs"]
mod vectors;

use serde_json::Value;
use vectors::{Case, Vectors, same};
use x402_model::extension::IdentifierError;
use x402_model::extension::payment_identifier::{
    KEY, PaymentIdentifier, append, declare, declared, read,
};

#[test]
fn every_payment_identifier_case() {
    Vectors::parse(include_str!("data/payment_identifier.json")).check(|case| {
        if let Some(text) = case.input.as_str() {
            let ours = PaymentIdentifier::parse(text).is_some();
            same("valid", Some(ours), case.expected.as_bool())
        } else if case.input.get("uuid").is_some() {
            generated(case)
        } else if case.input.get("x402Version").is_some() {
            extracted(case)
        } else if case.input.get("extensions").is_some() {
            appended(case)
        } else {
            let required = case.input["required"]
                .as_bool()
                .ok_or("unknown kind of case")?;
            same("declaration", &declare(required), case.expected)
        }
    });
}

fn generated(case: Case<'_>) -> Result<(), String> {
    let digits = case.input["uuid"]
        .as_str()
        .unwrap_or_default()
        .replace('-', "");
    let bytes = u128::from_str_radix(&digits, 16).map_err(|e| e.to_string())?;
    let id = PaymentIdentifier::from_random(bytes.to_be_bytes());
    same("id", Some(id.as_str()), case.expected.as_str())
}

fn extracted(case: Case<'_>) -> Result<(), String> {
    let ours = read(case.input["extensions"].as_object());
    let found = ours.clone().ok().flatten();
    let id = found.as_ref().map(PaymentIdentifier::as_str);
    same("id", id, case.expected["id"].as_str())?;
    let valid = |member: &str| case.expected[member]["valid"].as_bool();
    let validated = case.expected["validated"]["validation"]["valid"].as_bool();
    same("validation", Some(ours.is_ok()), validated)?;
    let required = Some(found.is_some());
    same(
        "where required",
        required,
        valid("requirement_when_required"),
    )?;
    // Its text tells a malformed id from a malformed extension; so do our errors.
    let named = case.expected["validated"]["validation"]["errors"][0].as_str();
    let of_id = named.is_some_and(|text| text.starts_with("Invalid payment ID format"));
    same("fault", ours == Err(IdentifierError::Id), of_id)
}

fn appended(case: Case<'_>) -> Result<(), String> {
    let mut extensions = case.input["extensions"]
        .as_object()
        .cloned()
        .ok_or("no extensions")?;
    let required = extensions[KEY]["info"]["required"].as_bool();
    same("declared", declared(Some(&extensions)), required)?;
    let id = PaymentIdentifier::parse(case.input["id"].as_str().unwrap_or_default());
    if !append(&mut extensions, &id.ok_or("not an id")?) {
        return Err("not appended".to_owned());
    }
    same("extensions", &Value::Object(extensions), case.expected)
}
