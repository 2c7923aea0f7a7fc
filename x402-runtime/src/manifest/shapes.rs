//! Schemas of the handlers' types: collected once for all endpoints, under one name each.

use std::collections::BTreeMap;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use x402_model::pointer;

use crate::handler::described::{Description, Shapes};

/// A question to a handler's types.
pub(crate) type Describe = fn(&mut Description<'_>);

/// The schemas of all endpoints.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Schemas {
    /// Per endpoint, in the order of the questions.
    pub(crate) shapes: Vec<Shapes>,
    /// Those of types with a name, which the shapes refer to as `#/schemas/<name>`.
    pub(crate) named: BTreeMap<String, Value>,
}

/// Where schemas refer to each other, in a generator and in a manifest.
const GENERATED: &str = "#/$defs/";
const PUBLISHED: &str = "#/schemas/";

/// Asks all endpoints for the schemas of their types.
pub(crate) fn collect(endpoints: impl IntoIterator<Item = Describe>) -> Schemas {
    let mut input = SchemaSettings::draft2020_12().into_generator();
    let mut output = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator();
    let mut shapes: Vec<Shapes> = endpoints
        .into_iter()
        .map(|describe| {
            let mut description = Description::new(&mut input, &mut output);
            describe(&mut description);
            description.shapes()
        })
        .collect();
    let read = definitions(&mut input);
    let written = definitions(&mut output);
    let renamed = clashes(&read, &written);
    let rename = |name: &str| renamed.get(name).cloned();
    let mut named = BTreeMap::new();
    for (name, mut schema) in read {
        publish(&mut schema, &|_| None);
        named.insert(name, schema);
    }
    for (name, mut schema) in written {
        publish(&mut schema, &rename);
        named.insert(rename(&name).unwrap_or(name), schema);
    }
    for one in &mut shapes {
        let inputs = [
            one.path.as_mut(),
            one.query.as_mut(),
            one.header.as_mut(),
            body_of(&mut one.body),
        ];
        for schema in inputs.into_iter().flatten() {
            publish(schema, &|_| None);
        }
        if let Some(schema) = body_of(&mut one.answer) {
            publish(schema, &rename);
        }
    }
    Schemas { shapes, named }
}

fn body_of<'s>(shape: &'s mut Option<(&'static str, Option<Value>)>) -> Option<&'s mut Value> {
    shape.as_mut().and_then(|(_, schema)| schema.as_mut())
}

fn definitions(generator: &mut SchemaGenerator) -> Map<String, Value> {
    generator.take_definitions(true)
}

/// Types that are read in another shape than they are written in: those that are written get another name. So does what refers
/// to them.
fn clashes(read: &Map<String, Value>, written: &Map<String, Value>) -> BTreeMap<String, String> {
    let mut renamed: BTreeMap<String, String> = BTreeMap::new();
    loop {
        let before = renamed.len();
        for (name, schema) in written {
            let differs = |other: &Value| other != schema || refers_to_any(schema, &renamed);
            if !renamed.contains_key(name) && read.get(name).is_some_and(differs) {
                let taken = |new: &String| {
                    read.contains_key(new)
                        || written.contains_key(new)
                        || renamed.values().any(|one| one == new)
                };
                let mut new = format!("{name}Output");
                while taken(&new) {
                    new.push('_');
                }
                renamed.insert(name.clone(), new);
            }
        }
        if renamed.len() == before {
            return renamed;
        }
    }
}

fn refers_to_any(schema: &Value, names: &BTreeMap<String, String>) -> bool {
    match schema {
        Value::Object(members) => members.iter().any(|(key, value)| {
            let name = value.as_str().and_then(|text| text.strip_prefix(GENERATED));
            (key == "$ref" && name.is_some_and(|name| names.contains_key(name)))
                || refers_to_any(value, names)
        }),
        Value::Array(items) => items.iter().any(|item| refers_to_any(item, names)),
        _ => false,
    }
}

/// Turns a generated schema into a published one: references lead into the manifest, and what only a generator needs is gone.
fn publish(schema: &mut Value, rename: &dyn Fn(&str) -> Option<String>) {
    match schema {
        Value::Object(members) => {
            if members.get("$schema").is_some_and(Value::is_string) {
                members.remove("$schema");
            }
            if let Some(Value::String(to)) = members.get_mut("$ref")
                && let Some(name) = to.strip_prefix(GENERATED)
            {
                let name = rename(name).unwrap_or_else(|| name.to_owned());
                *to = format!("{PUBLISHED}{name}");
            }
            let data = |key: &str| matches!(key, "const" | "default" | "enum" | "examples");
            let parts = members.iter_mut().filter(|(key, _)| !data(key));
            parts.for_each(|(_, value)| publish(value, rename));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| publish(item, rename)),
        _ => {}
    }
}

/// What the captures of a route look like, each under its name: handlers take one alone, several in order, or all in a struct.
pub(crate) fn captures(names: &[&str], shape: Option<&Value>) -> Option<Value> {
    if names.is_empty() {
        return None;
    }
    let text = || json!({ "type": "string" });
    let of = |place: usize| match shape {
        Some(Value::Object(members)) if members.contains_key("prefixItems") => {
            let items = members.get("prefixItems");
            items.and_then(|items| items.get(place)).cloned()
        }
        Some(one) if names.len() == 1 => Some(one.clone()),
        _ => None,
    };
    let is_object = |value: &Value| {
        value.get("type").is_some_and(|kind| kind == "object") || value.get("$ref").is_some()
    };
    if let Some(whole) = shape.filter(|shape| is_object(shape)) {
        return Some(whole.clone());
    }
    let properties: Map<String, Value> = names
        .iter()
        .enumerate()
        .map(|(place, name)| ((*name).to_owned(), of(place).unwrap_or_else(text)))
        .collect();
    Some(json!({
        "type": "object", "properties": properties, "required": names, "additionalProperties": false,
    }))
}

/// Writes the default that a price takes for a missing value where a reader looks for it: in the schema of that value.
pub(crate) fn set_default(
    named: &mut BTreeMap<String, Value>,
    schema: &mut Value,
    pointer: &str,
    default: &Value,
) -> bool {
    let Some((name, rest)) = first_of(pointer) else {
        let default = typed(schema, default);
        if let Some(members) = schema.as_object_mut() {
            members.entry("default").or_insert_with(|| default.clone());
        }
        return schema.get("default") == Some(&default);
    };
    if let Some(to) = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|to| to.strip_prefix(PUBLISHED))
    {
        let to = to.to_owned();
        let Some(mut target) = named.remove(&to) else {
            return false;
        };
        let done = set_default(named, &mut target, pointer, default);
        named.insert(to, target);
        return done;
    }
    let property = schema
        .get_mut("properties")
        .and_then(|properties| properties.get_mut(&name));
    property.is_some_and(|property| set_default(named, property, rest, default))
}

/// A default in the type of its schema: prices look at headers and queries as texts, and handlers read numbers of them.
fn typed(schema: &Value, default: &Value) -> Value {
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let read = default.as_str().filter(|_| !types.contains(&"string"));
    let read = read.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let fits = |value: &Value| match value {
        Value::Number(_) => types.contains(&"integer") || types.contains(&"number"),
        Value::Bool(_) => types.contains(&"boolean"),
        _ => false,
    };
    read.filter(fits).unwrap_or_else(|| default.clone())
}

/// The first step of a JSON pointer, unescaped, and the rest.
fn first_of(pointer: &str) -> Option<(String, &str)> {
    let steps = pointer.strip_prefix('/')?;
    let (first, rest) = match steps.find('/') {
        Some(at) => steps.split_at(at),
        None => (steps, ""),
    };
    Some((pointer::unescaped(first), rest))
}
