//! From the text of an argument to a JSON value, by the types that its schema takes.

use serde_json::Value;
use x402_runtime::model::manifest::Manifest;

use crate::inputs::resolved;

/// Deepest nesting of alternatives that is looked into.
const MAX_DEPTH: usize = 16;

/// The names of JSON types.
pub(super) const TYPES: [&str; 7] = [
    "string", "integer", "number", "boolean", "null", "array", "object",
];

/// The types that a schema takes, out of [`TYPES`]; empty if it takes every type.
pub(super) fn types(manifest: &Manifest, schema: &Value) -> Vec<&'static str> {
    let mut found = Vec::new();
    collect(manifest, schema, MAX_DEPTH, &mut found);
    found
}

fn collect(manifest: &Manifest, schema: &Value, depth: usize, found: &mut Vec<&'static str>) {
    let Some(schema) = resolved(manifest, schema).filter(|_| depth > 0) else {
        return;
    };
    let mut add = |name: &str| {
        let known = TYPES.iter().find(|known| **known == name);
        found.extend(known.filter(|known| !found.contains(*known)).copied());
    };
    match schema.get("type") {
        Some(Value::String(name)) => return add(name),
        Some(Value::Array(names)) => return names.iter().filter_map(Value::as_str).for_each(add),
        _ => {}
    }
    let values = schema.get("enum").and_then(Value::as_array);
    for value in values.into_iter().flatten().chain(schema.get("const")) {
        add(name_of(value));
    }
    for word in ["anyOf", "oneOf", "allOf"] {
        let forms = schema.get(word).and_then(Value::as_array);
        for form in forms.into_iter().flatten() {
            collect(manifest, form, depth.saturating_sub(1), found);
        }
    }
}

/// The type of a value.
pub(super) fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A type for people, with its article.
pub(super) fn said(name: &str) -> &'static str {
    match name {
        "string" => "a string",
        "integer" => "an integer",
        "number" => "a number",
        "boolean" => "true or false",
        "null" => "null",
        "array" => "a list",
        _ => "an object",
    }
}

/// The value that a text stands for. What is no other type of the schema is a string: whether that is taken is checked later.
pub(super) fn read(text: &str, types: &[&'static str]) -> Value {
    let string = || Value::String(text.to_owned());
    if types.is_empty() || types.contains(&"string") {
        return string();
    }
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(_) => return string(),
    };
    let own = name_of(&value);
    let wanted = types.contains(&own) || own == "integer" && types.contains(&"number");
    if wanted { value } else { string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_read_as_the_types_of_their_schema() {
        for (text, types, value) in [
            ("7", &["string"][..], json!("7")),
            ("7", &[], json!("7")),
            ("7", &["integer"], json!(7)),
            ("7", &["number"], json!(7)),
            ("-0.5", &["number"], json!(-0.5)),
            ("7.5", &["integer"], json!("7.5")),
            ("true", &["boolean", "null"], json!(true)),
            ("null", &["integer", "null"], json!(null)),
            ("null", &["string", "null"], json!("null")),
            ("yes", &["boolean"], json!("yes")),
            ("[1,2]", &["array"], json!([1, 2])),
            ("{\"a\":1}", &["object"], json!({ "a": 1 })),
            ("18446744073709551615", &["integer"], json!(u64::MAX)),
        ] {
            assert_eq!(read(text, types), value, "{text} {types:?}");
        }
    }
}
