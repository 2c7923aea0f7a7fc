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

/// The schemas that stand in a schema, one level deep.
pub(super) fn inside(schema: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    schema.iter().flat_map(|(keyword, value)| {
        let (one, many, named) = match (holds(keyword, value), value) {
            (Holds::One, value) => (Some(value), None, None),
            (Holds::Many, Value::Array(list)) => (None, Some(list), None),
            (Holds::Named, Value::Object(named)) => (None, None, Some(named)),
            _ => (None, None, None),
        };
        let named = named.into_iter().flat_map(Map::values);
        one.into_iter()
            .chain(many.into_iter().flatten())
            .chain(named)
    })
}

/// The name of the shared schema that a schema refers to, where references to them have this prefix.
pub(super) fn reference<'v>(schema: &'v Value, prefix: &str) -> Option<&'v str> {
    schema.get("$ref")?.as_str()?.strip_prefix(prefix)
}

/// Adds a rule to a schema that may have one of the same name.
pub(super) fn also(schema: &mut Map<String, Value>, keyword: &str, rule: Value) {
    if !schema.contains_key(keyword) {
        schema.insert(keyword.to_owned(), rule);
        return;
    }
    let more = Value::Object(Map::from_iter([(keyword.to_owned(), rule)]));
    both(schema, more);
}

/// Adds all rules of another schema to a schema.
pub(super) fn both(schema: &mut Map<String, Value>, other: Value) {
    match schema.get_mut("allOf") {
        Some(Value::Array(all)) => all.push(other),
        _ => drop(schema.insert("allOf".to_owned(), Value::Array(vec![other]))),
    }
}

/// Whether a keyword says something to people and nothing about what is valid.
pub(in crate::manifest) fn is_annotation(keyword: &str) -> bool {
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

/// Whether a keyword holds definitions.
pub(super) fn is_definitions(keyword: &str) -> bool {
    matches!(keyword, "$defs" | "definitions")
}

/// What readers refuse, or only warn about: names of documents, comments, formats of numbers, and bounds that a double does not
/// hold exactly.
pub(super) fn is_dropped(keyword: &str, value: &Value) -> bool {
    const EXACT: u64 = 1 << 53;
    const NUMBERS: [&str; 14] = [
        "uint8", "uint16", "uint32", "uint64", "uint128", "uint", "int8", "int16", "int32",
        "int64", "int128", "int", "float", "double",
    ];
    match keyword {
        "$id" | "$schema" | "$anchor" | "$dynamicAnchor" | "$dynamicRef" | "$recursiveAnchor"
        | "$recursiveRef" | "$vocabulary" | "$comment" => true,
        keyword if is_definitions(keyword) => true,
        "format" => value
            .as_str()
            .is_some_and(|format| NUMBERS.contains(&format)),
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {
            value.as_u64().is_some_and(|bound| bound > EXACT)
                || value
                    .as_i64()
                    .is_some_and(|bound| bound.unsigned_abs() > EXACT)
        }
        _ => false,
    }
}

/// Whether a schema takes more without a keyword that is dropped.
pub(super) fn is_rule(keyword: &str) -> bool {
    matches!(
        keyword,
        "$ref"
            | "$dynamicRef"
            | "$recursiveRef"
            | "minimum"
            | "maximum"
            | "exclusiveMinimum"
            | "exclusiveMaximum"
    )
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
