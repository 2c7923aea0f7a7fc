//! Keeps a rule that was left out inside of `not` or `oneOf` from making a schema take less.
//!
//! A document may say less than the schemas that it is made of: a bound that no double holds, a keyword that its readers do not know, a
//! reference that leads nowhere. What then takes more makes a `not` around it take less, and may be the second of several of which
//! one alone may hold. So such schemas are marked where the rule goes, and a document is settled when it is whole.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::keyword::{also, inside, reference, required, visit};

/// Stands in a schema that takes more than the one it was made of.
const MARK: &str = "x-x402-widened";

/// Most alternatives that are compared with each other.
const MAX_BRANCHES: usize = 64;

/// Notes that a schema takes more than the one it was made of.
pub(super) fn mark(schema: &mut Map<String, Value>) {
    schema.insert(MARK.to_owned(), true.into());
}

fn is_marked(schema: &Value) -> bool {
    schema.get(MARK).is_some()
}

/// The names of the shared schemas that hold a mark, or refer to one that does. References to them have the prefix.
pub(super) fn wide(shared: &mut Map<String, Value>, prefix: &str) -> BTreeSet<String> {
    let mut users: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    let mut waiting: Vec<&String> = Vec::new();
    for (name, schema) in shared.iter_mut() {
        visit(schema, &mut |inner| {
            if is_marked(inner) {
                waiting.push(name);
            }
            if let Some(to) = reference(inner, prefix) {
                users.entry(to.to_owned()).or_default().push(name);
            }
        });
    }
    let mut wide = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        if wide.insert(name.clone()) {
            waiting.extend(users.get(name).into_iter().flatten());
        }
    }
    wide
}

/// Leaves out every `not` of a schema that takes more than it did, lets any of several alternatives hold where one of them does, and
/// removes the marks.
pub(super) fn settle(schema: &mut Value, prefix: &str, wide: &BTreeSet<String>) {
    visit(schema, &mut |inner| {
        let refers = reference(inner, prefix).is_some_and(|name| wide.contains(name));
        let Value::Object(members) = inner else {
            return;
        };
        if members.get("not").is_some_and(is_marked) {
            members.remove("not");
            mark(members);
        }
        if let Some(Value::Array(branches)) = members.get("oneOf")
            && branches.iter().any(is_marked)
        {
            if !are_apart(branches)
                && let Some(branches) = members.remove("oneOf")
            {
                also(members, "anyOf", branches);
            }
            mark(members);
        }
        if refers || inside(members).any(is_marked) {
            mark(members);
        }
    });
    visit(schema, &mut |inner| {
        if let Value::Object(members) = inner {
            members.remove(MARK);
        }
    });
}

/// Whether no value can be of two of these alternatives.
fn are_apart(branches: &[Value]) -> bool {
    let pairs = || {
        let others = |at: usize| branches.iter().skip(at.saturating_add(1));
        let firsts = branches.iter().enumerate();
        firsts.flat_map(move |(at, one)| others(at).map(move |other| (one, other)))
    };
    branches.len() <= MAX_BRANCHES && pairs().all(|(one, other)| two_apart(one, other))
}

fn two_apart(one: &Value, other: &Value) -> bool {
    let kind = |schema: &Value| match schema.get("type").and_then(Value::as_str) {
        // An integer is a number, too.
        Some("integer") => Some("number".to_owned()),
        kind => kind.map(str::to_owned),
    };
    let nullable = |schema: &Value| schema.get("nullable") == Some(&Value::Bool(true));
    if nullable(one) && nullable(other) {
        return false;
    }
    if other_values(one, other) {
        return true;
    }
    match (kind(one), kind(other)) {
        (Some(one), Some(other)) if one != other => true,
        (Some(one_kind), Some(_)) if one_kind == "object" => {
            lacks(one, other) || lacks(other, one) || tagged_apart(one, other)
        }
        _ => false,
    }
}

/// Whether both have a list of values, and no value in common.
fn other_values(one: &Value, other: &Value) -> bool {
    let (Some(one), Some(other)) = (values(one), values(other)) else {
        return false;
    };
    let short = one.len() <= MAX_BRANCHES && other.len() <= MAX_BRANCHES;
    // Numbers may be written in two ways.
    let text = |value: &Value| !value.is_number() && !value.is_array() && !value.is_object();
    short && one.iter().chain(other).all(text) && !one.iter().any(|value| other.contains(value))
}

fn values(schema: &Value) -> Option<&[Value]> {
    let listed = || schema.get("enum")?.as_array().map(Vec::as_slice);
    let only = schema.get("const").map(core::slice::from_ref);
    only.or_else(listed)
}

/// Whether one object is closed and does not have a member that the other requires.
fn lacks(closed: &Value, other: &Value) -> bool {
    let is_closed = closed.get("additionalProperties") == Some(&Value::Bool(false))
        && closed.get("patternProperties").is_none();
    let known = |name: &&str| property(closed, name).is_some();
    is_closed && !needs(other).iter().all(known)
}

/// Whether a member that both objects require has other values in each.
fn tagged_apart(one: &Value, other: &Value) -> bool {
    let theirs = needs(other);
    let mut common = needs(one).into_iter().filter(|name| theirs.contains(name));
    common.any(|name| match (property(one, name), property(other, name)) {
        (Some(one), Some(other)) => other_values(one, other),
        _ => false,
    })
}

fn property<'v>(schema: &'v Value, name: &str) -> Option<&'v Value> {
    schema.get("properties")?.get(name)
}

fn needs(schema: &Value) -> Vec<&str> {
    let mut names = schema.as_object().map(required).unwrap_or_default();
    names.truncate(MAX_BRANCHES);
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settled(mut schema: Value) -> Value {
        settle(
            &mut schema,
            "#/$defs/",
            &BTreeSet::from(["Wide".to_owned()]),
        );
        schema
    }

    #[test]
    fn what_takes_more_stands_in_no_not() {
        let wide = || json!({ "type": "integer", MARK: true });
        for (schema, written) in [
            (wide(), json!({ "type": "integer" })),
            (
                json!({ "not": wide(), "minimum": 1 }),
                json!({ "minimum": 1 }),
            ),
            (
                json!({ "not": { "type": "integer" } }),
                json!({ "not": { "type": "integer" } }),
            ),
            (json!({ "not": { "items": { "not": wide() } } }), json!({})),
            (json!({ "not": { "$ref": "#/$defs/Wide" } }), json!({})),
            (
                json!({ "not": { "$ref": "#/$defs/Exact" } }),
                json!({ "not": { "$ref": "#/$defs/Exact" } }),
            ),
            (
                json!({ "properties": { "not": wide() } }),
                json!({ "properties": { "not": { "type": "integer" } } }),
            ),
        ] {
            assert_eq!(settled(schema.clone()), written, "{schema}");
        }
    }

    #[test]
    fn alternatives_that_may_both_hold_are_any_of_them() {
        let wide = || json!({ "type": "string", MARK: true });
        let tag = |tag: &str| {
            json!({
                "type": "object",
                "properties": { "kind": { "const": tag }, "value": wide() },
                "required": ["kind", "value"],
            })
        };
        let closed = |name: &str| {
            json!({
                "type": "object", "properties": { name: wide() }, "required": [name],
                "additionalProperties": false,
            })
        };
        let open = |name: &str| json!({ "type": "object", "properties": { name: wide() } });
        for (branches, apart) in [
            ([wide(), json!({ "type": "string", "maxLength": 3 })], false),
            ([wide(), json!({ "type": "integer" })], true),
            (
                [
                    json!({ "type": "number", MARK: true }),
                    json!({ "type": "integer" }),
                ],
                false,
            ),
            ([tag("a"), tag("b")], true),
            ([tag("a"), tag("a")], false),
            ([closed("a"), closed("b")], true),
            ([closed("a"), closed("a")], false),
            ([open("a"), open("b")], false),
            (
                [
                    json!({ "enum": ["a"], MARK: true }),
                    json!({ "enum": ["b", null] }),
                ],
                true,
            ),
            (
                [json!({ "enum": [1], MARK: true }), json!({ "enum": [1.0] })],
                false,
            ),
        ] {
            let out = settled(json!({ "oneOf": branches }));
            let name = if apart { "oneOf" } else { "anyOf" };
            assert!(out.get(name).is_some(), "{out}");
            assert_eq!(out.as_object().map(Map::len), Some(1), "{out}");
        }
        let both = settled(json!({ "oneOf": [wide(), wide()], "anyOf": [true] }));
        let strings = json!([{ "type": "string" }, { "type": "string" }]);
        assert_eq!(
            both,
            json!({ "anyOf": [true], "allOf": [{ "anyOf": strings }] })
        );
    }
}
