//! Spells `null`, lists of types and enums so that every reader of schemas takes them.
//!
//! Readers that make forms of schemas drop the whole input when they meet `"type": ["string", "null"]`, a `null` in an enum, or an
//! enum of numbers. `anyOf` with a null branch and `oneOf` with constants say the same and are taken.

use serde_json::{Map, Value, json};

use super::keyword::{also, is_annotation};

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
///
/// A rule about one type goes to that type, and a rule about all stays beside the alternatives: a schema inside of this one is
/// written once, however deep such lists nest.
fn by_type(mut schema: Map<String, Value>, types: &[Value]) -> Map<String, Value> {
    schema.remove("type");
    let mut kinds: Vec<&str> = Vec::new();
    for kind in types.iter().filter_map(Value::as_str) {
        if !kinds.contains(&kind) && kinds.len() < MAX_KINDS {
            kinds.push(kind);
        }
    }
    match kinds.as_slice() {
        [] => return enumerated(schema),
        [only] => {
            schema.insert("type".to_owned(), json!(only));
            return enumerated(schema);
        }
        _ => {}
    }
    let (rules, mut outer): (Map<_, _>, Map<_, _>) = schema
        .into_iter()
        .partition(|(keyword, _)| keyword == "enum" || !about(keyword).is_empty());
    let values = rules.get("enum").and_then(Value::as_array);
    let mut branches = Vec::new();
    for kind in kinds {
        let own = rules
            .iter()
            .filter(|(keyword, _)| about(keyword).contains(&kind));
        let mut branch: Map<_, _> = own
            .map(|(name, rule)| (name.clone(), rule.clone()))
            .collect();
        branch.insert("type".to_owned(), json!(kind));
        if let Some(values) = values {
            let own: Vec<&Value> = values.iter().filter(|value| is_of(value, kind)).collect();
            if own.is_empty() {
                continue;
            }
            if kind != "null" {
                branch.insert("enum".to_owned(), json!(own));
            }
        }
        branches.push(Value::Object(enumerated(branch)));
    }
    if branches.is_empty() {
        also(&mut outer, "not", json!({}));
        return outer;
    }
    also(&mut outer, "anyOf", Value::Array(branches));
    single(&mut outer, "anyOf");
    outer
}

/// There are seven types; what else a list holds is no type.
const MAX_KINDS: usize = 7;

/// The types that a rule is about. None for a rule about every value, and for what depends on all that stands beside it.
pub(super) fn about(keyword: &str) -> &'static [&'static str] {
    match keyword {
        "properties"
        | "patternProperties"
        | "additionalProperties"
        | "propertyNames"
        | "dependentSchemas"
        | "dependentRequired"
        | "dependencies"
        | "required"
        | "minProperties"
        | "maxProperties" => &["object"],
        "items" | "prefixItems" | "additionalItems" | "contains" | "minContains"
        | "maxContains" | "minItems" | "maxItems" | "uniqueItems" => &["array"],
        "minLength" | "maxLength" | "pattern" | "contentEncoding" | "contentMediaType"
        | "contentSchema" => &["string"],
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
            &["integer", "number"]
        }
        "format" => &["string", "integer", "number"],
        _ => &[],
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        // 1.0 is an integer to a schema.
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
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
    fn a_rule_goes_to_the_type_that_it_is_about() {
        assert_eq!(
            spell(json!({
                "type": ["object", "array", "string", "null", "string"],
                "properties": {"a": true}, "items": {"type": "string"}, "maxLength": 3, "minimum": 1,
                "not": {"const": null}, "anyOf": [{"minLength": 1}, {"minItems": 1}],
            })),
            json!({
                "not": {"const": null},
                "anyOf": [{"minLength": 1}, {"minItems": 1}],
                "allOf": [{"anyOf": [
                    {"type": "object", "properties": {"a": true}},
                    {"type": "array", "items": {"type": "string"}},
                    {"type": "string", "maxLength": 3},
                    {"type": "null"},
                ]}],
            })
        );
        assert_eq!(
            spell(json!({"type": ["string", "null"], "enum": [1]})),
            json!({"not": {}}),
            "nothing is valid"
        );
        assert_eq!(
            spell(json!({"type": ["string", "integer"], "enum": [1.0, 1.5]})),
            json!({"type": "integer", "oneOf": [{"const": 1.0}]})
        );
        assert_eq!(spell(json!({"type": []})), json!({}));
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
