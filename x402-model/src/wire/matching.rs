//! Finds the offer a payment accepts.

use serde_json::{Map, Value};

use super::json::same_number;
use super::offered::Offered;

/// Anything that holds one entry of `accepts` as JSON.
pub trait Terms {
    /// The entry.
    fn terms(&self) -> &Value;
}

impl Terms for Value {
    fn terms(&self) -> &Value {
        self
    }
}

impl<R> Terms for Offered<R> {
    fn terms(&self) -> &Value {
        self.value()
    }
}

impl<T: Terms + ?Sized> Terms for &T {
    fn terms(&self) -> &Value {
        (**self).terms()
    }
}

/// The first offer that a payment's `accepted` entry matches, by position.
///
/// Every member but `extra` must be there, no other may be, and values must be equal: text exactly (the case of
/// addresses counts), numbers by value (300 and 300.0 are one number). The offer's `extra` must be contained in the
/// buyer's, member by member for objects and exactly for arrays; members named in `dynamic_extra` are not compared.
/// An `extra` that is absent or null is an empty one.
///
/// ```
/// use serde_json::json;
/// use x402_model::wire::find_match;
/// let offers = [json!({"amount": "1", "extra": {}}), json!({"amount": "2", "extra": {"name": "USDC"}})];
/// let accepted = json!({"amount": "2", "extra": {"name": "USDC", "memo": "mine"}});
/// assert_eq!(find_match(&offers, &accepted, &[]), Some(1));
/// assert_eq!(find_match(&offers, &json!({"amount": "2", "extra": {}}), &[]), None);
/// ```
#[must_use]
pub fn find_match<T: Terms>(
    offers: &[T],
    accepted: &Value,
    dynamic_extra: &[&str],
) -> Option<usize> {
    offers
        .iter()
        .position(|offer| matches(offer.terms(), accepted, dynamic_extra))
}

fn matches(offer: &Value, accepted: &Value, dynamic_extra: &[&str]) -> bool {
    let (Value::Object(offer), Value::Object(accepted)) = (offer, accepted) else {
        return false;
    };
    let core = |map: &Map<String, Value>| map.keys().filter(|key| *key != "extra").count();
    core(offer) == core(accepted)
        && offer
            .iter()
            .filter(|(key, _)| *key != "extra")
            .all(|(key, value)| accepted.get(key).is_some_and(|other| same(value, other)))
        && extra_contained(offer.get("extra"), accepted.get("extra"), dynamic_extra)
}

fn extra_contained(offered: Option<&Value>, accepted: Option<&Value>, dynamic: &[&str]) -> bool {
    let accepted = accepted.filter(|value| !value.is_null());
    match (offered, accepted) {
        (None | Some(Value::Null), None | Some(Value::Object(_))) => true,
        (Some(Value::Object(offered)), None | Some(Value::Object(_))) => {
            let accepted = accepted.and_then(Value::as_object);
            offered
                .iter()
                .filter(|(key, _)| !dynamic.contains(&key.as_str()))
                .all(|(key, value)| member_contained(value, accepted.and_then(|map| map.get(key))))
        }
        (Some(offered), Some(accepted)) => same(offered, accepted),
        _ => false,
    }
}

/// Whether `part` is contained in `whole`: objects member by member, everything else by equality.
pub(super) fn contained(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => part
            .iter()
            .all(|(key, value)| member_contained(value, whole.get(key))),
        _ => same(part, whole),
    }
}

/// As [`contained`], where an absent member equals null.
pub(super) fn member_contained(part: &Value, whole: Option<&Value>) -> bool {
    whole.map_or(part.is_null(), |whole| contained(part, whole))
}

/// Deep equality of JSON values; key order does not count, 300 equals 300.0.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}
