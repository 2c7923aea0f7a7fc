//! The OpenAPI document for readers of 3.0.x only, as some client generators are.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::keyword::{both, is_annotation, visit};
use super::nulls::{about, is_null};
use super::openapi::{each_schema, settle, whole};
use super::widened;
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
    each_schema(&mut document, &mut |schema| visit(schema, &mut one));
    settle(&mut document);
    document
}

/// Lowers one schema; those inside of it are lowered already.
fn one(schema: &mut Value) {
    match schema {
        Value::Bool(true) => *schema = json!({}),
        Value::Bool(false) => *schema = json!({ "not": {} }),
        Value::Object(members) => {
            foreign(members);
            patterns(members);
            unknown(members);
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

/// Keywords that say something in 3.0 and nothing in 3.1.
fn foreign(members: &mut Map<String, Value>) {
    members.remove("nullable");
    for keyword in ["exclusiveMinimum", "exclusiveMaximum"] {
        if members.get(keyword).is_some_and(Value::is_boolean) {
            members.remove(keyword);
        }
    }
}

/// Names that match a pattern are no additional ones until there are no patterns: then what is taken of either is taken of all.
fn patterns(members: &mut Map<String, Value>) {
    let anything = json!({});
    let nothing = json!({ "not": {} });
    if let Some(Value::Object(patterns)) = members.get_mut("patternProperties")
        && !patterns.is_empty()
    {
        let mut all: Vec<Value> = core::mem::take(patterns)
            .into_iter()
            .map(|it| it.1)
            .collect();
        widened::mark(members);
        if let Some(rest) = members.remove("additionalProperties") {
            all.extend((rest != nothing).then_some(rest));
            let only = (all.len() == 1).then(|| all.pop()).flatten();
            let rest = only.unwrap_or_else(|| json!({ "anyOf": all }));
            members.insert("additionalProperties".to_owned(), rest);
        }
    }
    match members.get_mut("additionalProperties") {
        Some(rest) if *rest == nothing => *rest = false.into(),
        Some(rest) if *rest == anything => *rest = true.into(),
        _ => {}
    }
}

/// Leaves out what 3.0 has no word for.
fn unknown(members: &mut Map<String, Value>) {
    if members.contains_key("prefixItems") {
        // What stands at which place cannot be said.
        members.insert("items".to_owned(), json!({}));
    }
    let mut rules = false;
    members.retain(|keyword, _| {
        let known = !UNKNOWN.contains(&keyword.as_str());
        rules |= !known && !keyword.starts_with("content") && keyword != "$defs";
        known
    });
    if rules {
        widened::mark(members);
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
        let twice = name == "oneOf" && others.iter().any(may_be_null);
        let only = (others.len() == 1).then(|| others.pop()).flatten();
        let rules = |keyword: &String| keyword != name && !is_annotation(keyword);
        let beside = members.keys().any(rules);
        members.insert("nullable".to_owned(), true.into());
        match only {
            Some(Value::Object(only)) if takes_flag(&only) && !clashes(members, &only, name) => {
                members.remove(name);
                flagged(members, only);
            }
            // A flag beside alternatives only counts beside a type, which `allOf` of 3.0 readers give.
            Some(only) => {
                members.remove(name);
                both(members, only);
            }
            None => {
                members.insert(name.to_owned(), others.into());
            }
        }
        // It was one alternative too many, or a rule for `null` that readers may take for one about the rest.
        if twice || (beside && !members.contains_key("type")) {
            widened::mark(members);
        }
    }
}

/// Whether `null` may be a value of a lowered schema.
fn may_be_null(schema: &Value) -> bool {
    let typed = schema.get("type").is_some_and(Value::is_string);
    let values = schema.get("enum").and_then(Value::as_array);
    let listed = values.is_none_or(|values| values.contains(&Value::Null));
    schema.get("nullable").is_some() || (!typed && listed)
}

/// Whether a flag on a schema lets it take `null`: no rule of it is about that.
fn takes_flag(schema: &Map<String, Value>) -> bool {
    let mut keywords = schema.keys();
    keywords.all(|keyword| {
        is_annotation(keyword)
            || matches!(keyword.as_str(), "type" | "enum" | "nullable")
            || !about(keyword).is_empty()
    })
}

/// Moves the rules of the only alternative beside the flag.
fn flagged(members: &mut Map<String, Value>, only: Map<String, Value>) {
    for (keyword, mut value) in only {
        if let ("enum", Value::Array(values)) = (&*keyword, &mut value)
            && !values.contains(&Value::Null)
        {
            // The flag adds to the type, not to the values.
            values.push(Value::Null);
        }
        members.entry(keyword).or_insert(value);
    }
}

fn clashes(members: &Map<String, Value>, only: &Map<String, Value>, name: &str) -> bool {
    let mut rules = only.keys().filter(|keyword| !is_annotation(keyword));
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
        let different: HashSet<&Value> = values.iter().collect();
        if different.len() < values.len() {
            // Of the same one twice, exactly one never holds.
            widened::mark(members);
        }
        members.remove("oneOf");
        members.insert("enum".to_owned(), values.into());
    }
}

/// In 3.0, nothing counts beside a reference.
fn reference(members: &mut Map<String, Value>) {
    if members.len() > 1
        && let Some(reference) = members.remove("$ref")
    {
        both(members, json!({ "$ref": reference }));
    }
}
