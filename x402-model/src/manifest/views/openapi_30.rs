//! The OpenAPI document for readers of 3.0.x only, as some client generators are.

use serde_json::{Map, Value, json};

use super::keyword::visit;
use super::nulls::is_null;
use super::openapi::whole;
use crate::manifest::Manifest;

/// Keywords that 3.0 does not have and that only narrow what is valid.
const UNKNOWN: [&str; 19] = [
    "if",
    "then",
    "else",
    "contains",
    "minContains",
    "maxContains",
    "patternProperties",
    "propertyNames",
    "dependentSchemas",
    "dependentRequired",
    "dependencies",
    "unevaluatedProperties",
    "unevaluatedItems",
    "additionalItems",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "prefixItems",
    "$defs",
];

/// The OpenAPI document in version 3.0.3.
///
/// It takes and gives the same JSON as [`openapi`](super::openapi()). Where 3.0 has no word for a rule, the rule is left out, so that a schema here is
/// never narrower than it is there.
#[must_use]
pub fn openapi_30(manifest: &Manifest) -> Value {
    let mut document = whole(manifest);
    if let Value::Object(members) = &mut document {
        members.insert("openapi".to_owned(), "3.0.3".into());
        members.remove("jsonSchemaDialect");
    }
    each(&mut document, "/components/schemas", &mut lowered);
    each(&mut document, "/paths", &mut |item| {
        each(item, "", &mut operation)
    });
    document
}

/// Changes what stands at each name of an object, if there is one at the pointer.
fn each(holder: &mut Value, pointer: &str, change: &mut dyn FnMut(&mut Value)) {
    if let Some(Value::Object(members)) = holder.pointer_mut(pointer) {
        members.values_mut().for_each(change);
    }
}

fn operation(operation: &mut Value) {
    if let Some(Value::Array(parameters)) = operation.get_mut("parameters") {
        parameters.iter_mut().for_each(holder);
    }
    each(operation, "/requestBody/content", &mut holder);
    each(operation, "/responses", &mut |response| {
        each(response, "/content", &mut holder);
        each(response, "/headers", &mut holder);
        if let Some(event) = response.pointer_mut("/x-x402-stream/event") {
            lowered(event);
        }
    });
}

/// Lowers the schema of a parameter, header or media type.
fn holder(holder: &mut Value) {
    if let Some(schema) = holder.get_mut("schema") {
        lowered(schema);
    }
}

fn lowered(schema: &mut Value) {
    visit(schema, &mut one);
}

/// Lowers one schema; those inside of it are lowered already.
fn one(schema: &mut Value) {
    match schema {
        Value::Bool(true) => *schema = json!({}),
        Value::Bool(false) => *schema = json!({ "not": {} }),
        Value::Object(members) => {
            if members.contains_key("prefixItems") {
                // What stands at which place cannot be said.
                members.insert("items".to_owned(), json!({}));
            }
            members.retain(|keyword, _| !UNKNOWN.contains(&keyword.as_str()));
            example(members);
            constant(members);
            bound(
                members,
                "minimum",
                "exclusiveMinimum",
                |exclusive, other| exclusive >= other,
            );
            bound(
                members,
                "maximum",
                "exclusiveMaximum",
                |exclusive, other| exclusive <= other,
            );
            nullable(members);
            constants(members);
            if members.get("type").is_some_and(|kind| kind == "array") {
                members.entry("items").or_insert_with(|| json!({}));
            }
            reference(members);
        }
        _ => {}
    }
}

fn example(members: &mut Map<String, Value>) {
    if let Some(Value::Array(examples)) = members.remove("examples")
        && let Some(first) = examples.into_iter().next()
    {
        members.entry("example").or_insert(first);
    }
}

fn constant(members: &mut Map<String, Value>) {
    if let Some(value) = members.remove("const") {
        if value.is_null() {
            members.insert("nullable".to_owned(), true.into());
        }
        members.insert("enum".to_owned(), json!([value]));
    }
}

/// In 3.0, an exclusive bound is a flag on the inclusive one. Of two bounds the narrower counts.
fn bound(
    members: &mut Map<String, Value>,
    inclusive: &str,
    exclusive: &str,
    narrower: fn(f64, f64) -> bool,
) {
    let Some(Value::Number(value)) = members.get(exclusive).cloned() else {
        return;
    };
    let other = members.get(inclusive).and_then(Value::as_f64);
    let counts = match (value.as_f64(), other) {
        (Some(value), Some(other)) => narrower(value, other),
        _ => true,
    };
    members.remove(exclusive);
    if counts {
        members.insert(inclusive.to_owned(), Value::Number(value));
        members.insert(exclusive.to_owned(), true.into());
    }
}

/// `null` as an alternative becomes a flag.
fn nullable(members: &mut Map<String, Value>) {
    if members.get("type").is_some_and(|kind| kind == "null") {
        members.remove("type");
        members.insert("nullable".to_owned(), true.into());
        members.insert("enum".to_owned(), json!([null]));
    }
    for name in ["anyOf", "oneOf"] {
        let Some(Value::Array(branches)) = members.get_mut(name) else {
            continue;
        };
        let null = |branch: &Value| {
            let only = branch.get("enum").and_then(Value::as_array);
            is_null(branch) || only.is_some_and(|list| matches!(list.as_slice(), [Value::Null]))
        };
        let before = branches.len();
        let mut others: Vec<Value> = branches.iter().filter(|it| !null(it)).cloned().collect();
        if others.len() == before || others.is_empty() {
            continue;
        }
        let only = (others.len() == 1).then(|| others.pop()).flatten();
        members.insert("nullable".to_owned(), true.into());
        match only {
            Some(Value::Object(only))
                if !only.contains_key("$ref") && !clashes(members, &only, name) =>
            {
                members.remove(name);
                for (keyword, value) in only {
                    members.entry(keyword).or_insert(value);
                }
            }
            // A flag beside alternatives only counts beside a type, which `allOf` of 3.0 readers give.
            Some(only) => {
                members.remove(name);
                let all = members.entry("allOf").or_insert_with(|| json!([]));
                if let Value::Array(all) = all {
                    all.push(only);
                }
            }
            None => {
                members.insert(name.to_owned(), others.into());
            }
        }
    }
}

fn clashes(members: &Map<String, Value>, only: &Map<String, Value>, name: &str) -> bool {
    let mut rules = only
        .keys()
        .filter(|keyword| !super::keyword::is_annotation(keyword));
    rules.any(|keyword| keyword != name && keyword != "nullable" && members.contains_key(keyword))
}

/// Alternatives that are constants only are an enum.
fn constants(members: &mut Map<String, Value>) {
    let Some(Value::Array(branches)) = members.get("oneOf") else {
        return;
    };
    let value = |branch: &Value| {
        let branch = branch.as_object()?;
        let only = branch.keys().all(|keyword| keyword == "enum");
        match branch.get("enum")?.as_array()?.as_slice() {
            [value] if only => Some(value.clone()),
            _ => None,
        }
    };
    let values: Option<Vec<Value>> = branches.iter().map(value).collect();
    if let Some(values) =
        values.filter(|values| !values.is_empty() && !members.contains_key("enum"))
    {
        members.remove("oneOf");
        members.insert("enum".to_owned(), values.into());
    }
}

/// In 3.0, nothing counts beside a reference.
fn reference(members: &mut Map<String, Value>) {
    if members.len() > 1
        && let Some(reference) = members.remove("$ref")
    {
        let all = members.entry("allOf").or_insert_with(|| json!([]));
        if let Value::Array(all) = all {
            all.push(json!({ "$ref": reference }));
        }
    }
}
