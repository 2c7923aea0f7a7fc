//! Checks that a buyer sent the advertised extensions back unchanged.

use serde_json::{Map, Value};

use super::matching::{contained, same};

/// Members of `info` in which buyer and seller both list values, by extension, with the most entries allowed in all.
const ADDITIVE: &[(&str, &str, usize)] = &[("builder-code", "s", 10)];

/// Members of `info` only the seller may set, by extension.
const SELLER_OWNED: &[(&str, &str)] = &[("builder-code", "a")];

/// Checks echoed extensions against the advertised ones.
///
/// What the seller put into an extension's `info` must come back; the buyer may add members but not change or drop
/// any, except those `dynamic` names for the extension. `schema` is not compared. Extensions that only one side
/// mentions are fine. Two rules hold for `builder-code` whether it was advertised or not: the buyer may not set `a`,
/// and `s` is a list (one text counts as a list of one) that may grow to 10 entries.
///
/// # Errors
/// The key of the first extension that does not fit.
///
/// ```
/// use serde_json::{Map, Value, json};
/// use x402_model::wire::check_echo;
/// let map = |value: Value| value.as_object().cloned().unwrap_or_default();
/// let advertised = map(json!({"bazaar": {"info": {"method": "GET"}}}));
/// let kept = map(json!({"bazaar": {"info": {"method": "GET", "note": 1}}, "mine": {}}));
/// let changed = map(json!({"bazaar": {"info": {"method": "POST"}}}));
/// let none = |_: &str| -> &[&str] { &[] };
/// assert_eq!(check_echo(Some(&advertised), Some(&kept), &none), Ok(()));
/// assert_eq!(check_echo(Some(&advertised), Some(&changed), &none), Err("bazaar".to_owned()));
/// ```
pub fn check_echo<'d>(
    advertised: Option<&Map<String, Value>>,
    echoed: Option<&Map<String, Value>>,
    dynamic: &dyn Fn(&str) -> &'d [&'d str],
) -> Result<(), String> {
    for (key, echo) in echoed.into_iter().flatten() {
        let declared = advertised.and_then(|map| map.get(key));
        if !extension_fits(key, declared, echo, dynamic(key)) {
            return Err(key.clone());
        }
    }
    Ok(())
}

fn extension_fits(key: &str, declared: Option<&Value>, echo: &Value, dynamic: &[&str]) -> bool {
    let echo = info(echo);
    let declared = declared.map(info);
    declared.is_none_or(|declared| info_kept(key, declared, echo, dynamic))
        && additive_bounded(key, echo)
        && seller_owned_untouched(key, declared, echo)
}

/// The `info` of an extension, or the whole value for extensions without that envelope.
fn info(extension: &Value) -> &Value {
    extension.get("info").unwrap_or(extension)
}

fn info_kept(key: &str, declared: &Value, echo: &Value, dynamic: &[&str]) -> bool {
    let (Value::Object(declared), Value::Object(echo)) = (declared, echo) else {
        return same(declared, echo);
    };
    declared
        .iter()
        .filter(|(member, _)| !dynamic.contains(&member.as_str()))
        .all(|(member, value)| match echo.get(member) {
            None => value.is_null(),
            Some(echo) if is_additive(key, member) && (value.is_array() || echo.is_array()) => {
                list_contained(value, echo)
            }
            Some(echo) => contained(value, echo),
        })
}

fn is_additive(key: &str, member: &str) -> bool {
    ADDITIVE
        .iter()
        .any(|(extension, field, _)| *extension == key && *field == member)
}

/// Whether every value listed by the seller is among those listed by the buyer, in any order.
fn list_contained(declared: &Value, echo: &Value) -> bool {
    match (as_list(declared), as_list(echo)) {
        (Some(declared), Some(echo)) => declared
            .iter()
            .all(|value| echo.iter().any(|other| same(value, other))),
        _ => false,
    }
}

fn as_list(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Array(list) => Some(list),
        Value::Null | Value::Object(_) => None,
        one => Some(core::slice::from_ref(one)),
    }
}

fn additive_bounded(key: &str, echo: &Value) -> bool {
    ADDITIVE
        .iter()
        .filter(|(extension, ..)| *extension == key)
        .all(|(_, member, max)| {
            echo.get(member)
                .and_then(Value::as_array)
                .is_none_or(|list| list.len() <= *max)
        })
}

fn seller_owned_untouched(key: &str, declared: Option<&Value>, echo: &Value) -> bool {
    SELLER_OWNED
        .iter()
        .filter(|(extension, _)| *extension == key)
        .all(|(_, member)| {
            echo.get(member).is_none_or(|value| {
                declared
                    .and_then(|declared| declared.get(member))
                    .is_some_and(|own| same(own, value))
            })
        })
}
