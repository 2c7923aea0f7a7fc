//! Where schemas stand inside of a JSON Schema, so that data in it is never taken for one.

use serde_json::{Map, Value};

/// What the value of a keyword is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// One schema.
    One,
    /// A list of schemas.
    Many,
    /// Schemas by name.
    Named,
    /// Data, or something that is not known.
    Data,
}

/// What the value of a keyword is.
pub(super) fn holds(keyword: &str, value: &Value) -> Holds {
    match keyword {
        "items" | "allOf" | "anyOf" | "oneOf" | "prefixItems" if value.is_array() => Holds::Many,
        "items"
        | "additionalItems"
        | "additionalProperties"
        | "unevaluatedItems"
        | "unevaluatedProperties"
        | "propertyNames"
        | "contains"
        | "contentSchema"
        | "not"
        | "if"
        | "then"
        | "else" => Holds::One,
        "properties" | "patternProperties" | "dependentSchemas" | "$defs" | "definitions"
            if value.is_object() =>
        {
            Holds::Named
        }
        _ => Holds::Data,
    }
}

/// Calls `change` for every schema inside of a schema, the inner ones first, and for itself at last.
pub(super) fn visit(schema: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    if let Value::Object(members) = schema {
        for (keyword, value) in members.iter_mut() {
            match (holds(keyword, value), value) {
                (Holds::One, value) => visit(value, change),
                (Holds::Many, Value::Array(list)) => {
                    list.iter_mut().for_each(|inner| visit(inner, change));
                }
                (Holds::Named, Value::Object(named)) => {
                    named.values_mut().for_each(|inner| visit(inner, change));
                }
                _ => {}
            }
        }
    }
    change(schema);
}

/// Whether a keyword says something to people and nothing about what is valid.
pub(super) fn is_annotation(keyword: &str) -> bool {
    matches!(
        keyword,
        "title"
            | "description"
            | "default"
            | "examples"
            | "example"
            | "deprecated"
            | "readOnly"
            | "writeOnly"
    ) || keyword.starts_with("x-")
}

/// Removes what is only for people, to save room.
pub(super) fn undescribed(schema: &mut Value) {
    visit(schema, &mut |inner| {
        if let Value::Object(members) = inner {
            for keyword in ["title", "description", "examples", "example"] {
                members.remove(keyword);
            }
        }
    });
}

/// The names in the `required` of a schema.
pub(super) fn required(schema: &Map<String, Value>) -> Vec<&str> {
    let list = schema.get("required").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}
