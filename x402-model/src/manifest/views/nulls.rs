//! Spells `null`, lists of types and enums so that every reader of schemas takes them.
//!
//! Readers that make forms of schemas drop the whole input when they meet `"type": ["string", "null"]`, a `null` in an enum, or an
//! enum of numbers. `anyOf` with a null branch and `oneOf` with constants say the same and are taken.

use serde_json::{Map, Value, json};

use super::keyword::is_annotation;

/// A schema with one type at most, and enums of strings only.
pub(super) fn spelled(schema: Map<String, Value>) -> Map<String, Value> {
    match schema.get("type") {
        Some(Value::Array(types)) => {
            let types = types.clone();
            by_type(schema, &types)
        }
        _ => enumerated(schema),
    }
}

/// A schema with a list of types as alternatives of one type each.
fn by_type(mut schema: Map<String, Value>, types: &[Value]) -> Map<String, Value> {
    schema.remove("type");
    if let [only] = types {
        schema.insert("type".to_owned(), only.clone());
        return enumerated(schema);
    }
    let (mut outer, rules): (Map<_, _>, Map<_, _>) = schema
        .into_iter()
        .partition(|(name, _)| is_annotation(name));
    let values = rules.get("enum").and_then(Value::as_array).cloned();
    let mut branches = Vec::new();
    for kind in types {
        let mut branch = rules.clone();
        if kind == "null" {
            branch.clear();
        }
        branch.insert("type".to_owned(), kind.clone());
        if let Some(values) = &values {
            let own: Vec<Value> = values
                .iter()
                .filter(|value| is_of(value, kind))
                .cloned()
                .collect();
            match (own.is_empty(), kind == "null") {
                (true, _) => continue,
                (false, true) => {}
                (false, false) => {
                    branch.insert("enum".to_owned(), Value::Array(own));
                }
            }
        }
        branches.push(Value::Object(enumerated(branch)));
    }
    outer.insert("anyOf".to_owned(), Value::Array(branches));
    single(&mut outer, "anyOf");
    outer
}

fn is_of(value: &Value, kind: &Value) -> bool {
    match kind.as_str() {
        Some("null") => value.is_null(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    }
}

/// A schema whose enum, if it has one, is of strings.
fn enumerated(mut schema: Map<String, Value>) -> Map<String, Value> {
    let Some(Value::Array(values)) = schema.get("enum") else {
        return schema;
    };
    if values.iter().all(Value::is_string) || schema.contains_key("oneOf") {
        return schema;
    }
    let (nulls, others): (Vec<Value>, Vec<Value>) =
        values.iter().cloned().partition(Value::is_null);
    schema.remove("enum");
    let name = if nulls.is_empty() { "oneOf" } else { "anyOf" };
    if schema.contains_key(name) {
        // Both must hold, and only one can have the name.
        let values = Map::from_iter([("enum".to_owned(), [nulls, others].concat().into())]);
        return Map::from_iter([("allOf".to_owned(), json!([schema, enumerated(values)]))]);
    }
    let mut branches: Vec<Value> = Vec::new();
    if !nulls.is_empty() && others.iter().all(Value::is_string) {
        branches.extend((!others.is_empty()).then(|| json!({ "type": "string", "enum": others })));
    } else {
        branches.extend(others.iter().map(|value| json!({ "const": value })));
    }
    branches.extend((!nulls.is_empty()).then(|| json!({ "type": "null" })));
    schema.insert(name.to_owned(), Value::Array(branches));
    schema
}

/// A schema that does not allow `null`, if it allows anything else: for inputs that can be left out instead.
pub(super) fn without_null(schema: &mut Value) {
    let Value::Object(members) = schema else {
        return;
    };
    for name in ["anyOf", "oneOf"] {
        let Some(Value::Array(branches)) = members.get_mut(name) else {
            continue;
        };
        if branches.iter().any(|branch| !is_null(branch)) {
            branches.retain(|branch| !is_null(branch));
            if single(members, name) {
                break;
            }
        }
    }
    let says_null = members.get("type").is_some_and(|kind| kind == "null");
    if !says_null && members.get("default").is_some_and(Value::is_null) {
        members.remove("default");
    }
}

/// Whether a schema is that of `null` alone.
pub(super) fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|kind| kind == "null")
        || schema.get("const").is_some_and(Value::is_null)
}

/// Puts the only alternative in the place of the list, unless they contradict each other. Tells whether it did.
fn single(members: &mut Map<String, Value>, name: &str) -> bool {
    let Some([Value::Object(only)]) = members
        .get(name)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
    else {
        return false;
    };
    let clash = |keyword: &String| !is_annotation(keyword) && members.contains_key(keyword);
    if only.keys().any(|keyword| keyword != name && clash(keyword)) {
        return false;
    }
    let only = only.clone();
    members.remove(name);
    for (keyword, value) in only {
        members.entry(keyword).or_insert(value);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spell(schema: Value) -> Value {
        let Value::Object(members) = schema else {
            panic!("an object")
        };
        Value::Object(spelled(members))
    }

    #[test]
    fn lists_of_types_are_alternatives() {
        assert_eq!(
            spell(
                json!({"type": ["string", "null"], "minLength": 1, "description": "d", "default": null})
            ),
            json!({"anyOf": [{"type": "string", "minLength": 1}, {"type": "null"}], "description": "d", "default": null})
        );
        assert_eq!(
            spell(json!({"type": ["string"]})),
            json!({"type": "string"})
        );
        assert_eq!(
            spell(json!({"type": ["string", "integer", "null"], "enum": ["a", 1, null]})),
            json!({"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "integer", "oneOf": [{"const": 1}]}, {"type": "null"}]})
        );
        assert_eq!(
            spell(json!({"type": ["string", "null"], "enum": ["a"]})),
            json!({"type": "string", "enum": ["a"]})
        );
    }

    #[test]
    fn enums_are_of_strings() {
        assert_eq!(
            spell(json!({"enum": ["a", "b"]})),
            json!({"enum": ["a", "b"]})
        );
        assert_eq!(
            spell(json!({"type": "integer", "enum": [1, 2]})),
            json!({"type": "integer", "oneOf": [{"const": 1}, {"const": 2}]})
        );
        assert_eq!(
            spell(json!({"enum": ["a", null]})),
            json!({"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]})
        );
        assert_eq!(
            spell(json!({"enum": [1, 2], "oneOf": [{"const": 1}]})),
            json!({"enum": [1, 2], "oneOf": [{"const": 1}]})
        );
    }

    #[test]
    fn what_can_be_left_out_needs_no_null() {
        for (schema, without) in [
            (
                json!({"anyOf": [{"type": "string"}, {"type": "null"}], "default": null}),
                json!({"type": "string"}),
            ),
            (
                json!({"anyOf": [{"$ref": "#/x"}, {"type": "null"}], "description": "d"}),
                json!({"$ref": "#/x", "description": "d"}),
            ),
            (
                json!({"oneOf": [{"type": "string"}, {"type": "integer"}, {"const": null}]}),
                json!({"oneOf": [{"type": "string"}, {"type": "integer"}]}),
            ),
            (
                json!({"type": "null", "default": null}),
                json!({"type": "null", "default": null}),
            ),
            (
                json!({"type": "string", "default": "a"}),
                json!({"type": "string", "default": "a"}),
            ),
            (json!(true), json!(true)),
        ] {
            let mut changed = schema.clone();
            without_null(&mut changed);
            assert_eq!(changed, without, "{schema}");
        }
    }
}
