//! The comparison of schemas against what schemas mean: a change that counts as safe refuses no request that was taken, and no answer
//! is new to who reads it by the old schema.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first thing that is not as expected"
)]

use jsonschema::Validator;
use serde_json::{Value, json};
use x402_model::manifest::Manifest;
use x402_model::manifest::diff::{Wire, compare};

const EXAMPLE: &str = include_str!("manifest/manifest.json");

/// Schemas of one rule or two.
fn rules() -> Vec<Value> {
    let all = json!([
        true, false, {}, { "type": "string" }, { "type": ["string", "null"] }, { "type": "integer" },
        { "type": "number" }, { "type": ["array", "object"] }, { "minLength": 1 }, { "minLength": 2 },
        { "maxLength": 1 }, { "minimum": 1 }, { "exclusiveMinimum": 0 }, { "exclusiveMinimum": 1 },
        { "enum": ["a", 1] }, { "enum": ["a", 1, null] }, { "const": "a" }, { "required": ["a"] },
        { "items": { "type": "integer" } }, { "items": { "type": "number" } }, { "items": false },
        { "contains": { "const": 1 } }, { "uniqueItems": true }, { "minItems": 1 }, { "maxItems": 1 },
        { "prefixItems": [{ "type": "string" }] }, { "pattern": "^a" }, { "multipleOf": 2 },
        { "minProperties": 1 }, { "maxProperties": 1 }, { "propertyNames": { "maxLength": 1 } },
        { "dependentRequired": { "a": ["c"] } }, { "patternProperties": { "^x": { "type": "string" } } },
        { "if": { "type": "string" }, "then": { "maxLength": 1 } },
        { "if": { "type": "string" }, "else": { "type": "null" } },
        { "oneOf": [{ "type": "string" }, { "type": "null" }] }, { "oneOf": [{ "type": "string" }] },
        { "anyOf": [{ "type": "string" }, { "type": "null" }, { "type": "integer" }] },
        { "anyOf": [{ "type": "integer" }] }, { "allOf": [{ "type": "string" }] },
        { "allOf": [{ "type": "string" }, { "maxLength": 1 }] }, { "not": { "type": "string" } },
        { "not": { "type": ["string", "null"] } }, { "$ref": "#/schemas/Text" }, { "$ref": "#/schemas/Short" },
        { "$ref": "#/schemas/Text", "maxLength": 1 }, { "$ref": "#/schemas/Text", "type": "null" },
        { "unevaluatedItems": false }, { "minContains": 2, "contains": { "type": "string" } },
    ]);
    all.as_array().unwrap().clone()
}

/// Places where a rule may stand.
fn places(rule: &Value) -> Vec<Value> {
    let places = json!([
        rule,
        { "items": rule },
        { "not": rule },
        { "anyOf": [rule, { "type": "boolean" }] },
        { "allOf": [{ "type": ["string", "array"] }, rule] },
        { "properties": { "a": rule } },
        { "properties": { "a": { "$ref": "#/$defs/A~1b" } }, "$defs": { "A/b": rule } },
        { "not": { "items": { "$ref": "#/$defs/A" } }, "$defs": { "A": rule } },
        { "if": { "type": "array" }, "then": { "items": rule } },
        { "contains": { "$ref": "#/%24defs/A" }, "$defs": { "A": { "not": rule } } },
    ]);
    places.as_array().unwrap().clone()
}

fn values() -> Vec<Value> {
    let scalars = [
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(2),
        json!(1.5),
        json!(""),
        json!("a"),
        json!("long"),
    ];
    let mut all = scalars.to_vec();
    for value in &scalars {
        all.push(json!([value]));
        all.push(json!(["a", value]));
        all.push(json!([[value]]));
        all.push(json!({ "a": value }));
        all.push(json!({ "x1": value }));
        all.push(json!({ "a": value, "x1": "b", "c": {} }));
    }
    all.extend([json!([]), json!({}), json!([1, 1])]);
    all
}

/// One schema as a manifest has it, and which of the values it takes.
struct Case {
    schema: Value,
    request: Manifest,
    answer: Manifest,
    takes: Vec<bool>,
}

impl Case {
    fn new(example: &Manifest, values: &[Value], schema: Value) -> Self {
        let mut request = example.clone();
        let body = request.endpoints[0].input.body.as_mut().unwrap();
        body.schema = Some(schema.clone());
        let mut answer = example.clone();
        answer.endpoints[0].output.schema = Some(schema.clone());
        let validator = validator(&schema);
        let takes = values
            .iter()
            .map(|value| validator.is_valid(value))
            .collect();
        Self {
            schema,
            request,
            answer,
            takes,
        }
    }
}

fn validator(schema: &Value) -> Validator {
    // A schema is the document of its own references; shared ones are put beside its rules.
    let mut root = match schema {
        Value::Object(_) => schema.clone(),
        other => json!({ "allOf": [other] }),
    };
    root["schemas"] = shared();
    jsonschema::validator_for(&root).unwrap_or_else(|error| panic!("{error}: {root}"))
}

fn shared() -> Value {
    json!({ "Text": { "type": "string" }, "Short": { "type": "string", "maxLength": 1 } })
}

fn example() -> Manifest {
    let mut example: Manifest = serde_json::from_str(EXAMPLE).unwrap();
    example.schemas = serde_json::from_value(shared()).unwrap();
    example
        .endpoints
        .retain(|endpoint| endpoint.input.body.is_some());
    example.endpoints.truncate(1);
    example.endpoints[0].examples.clear();
    let flat = json!({ "model": "flat", "amount": "1", "bounds": { "min": "1", "max": "1" } });
    example.endpoints[0].price = serde_json::from_value(flat).unwrap();
    example.endpoints[0].scheduled.clear();
    // Nothing else is compared.
    example.errors.clear();
    example.rails.clear();
    example.assets.clear();
    example
}

#[test]
fn what_counts_as_safe_is_safe() {
    let (example, values) = (example(), values());
    let (mut wrong, mut safe) = (Vec::new(), 0);
    let rules = rules();
    let placed: Vec<Vec<Value>> = rules.iter().map(places).collect();
    for place in 0..placed[0].len() {
        let cases: Vec<Case> = placed
            .iter()
            .map(|rules| Case::new(&example, &values, rules[place].clone()))
            .collect();
        for (old, new) in cases
            .iter()
            .flat_map(|old| cases.iter().map(move |new| (old, new)))
        {
            let lost = |old: &Case, new: &Case| {
                let mut pairs = old.takes.iter().zip(&new.takes).zip(&values);
                pairs
                    .find(|((old, new), _)| **old && !**new)
                    .map(|it| it.1.clone())
            };
            let request = compare(&old.request, &new.request).wire < Wire::Major;
            let answer = compare(&old.answer, &new.answer).wire < Wire::Major;
            safe += usize::from(request) + usize::from(answer);
            if let Some(value) = lost(old, new).filter(|_| request) {
                wrong.push(format!("request {} -> {}: {value}", old.schema, new.schema));
            }
            if let Some(value) = lost(new, old).filter(|_| answer) {
                wrong.push(format!("answer {} -> {}: {value}", old.schema, new.schema));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {safe}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    // Not everything is refused out of caution.
    assert!(safe > 2_000, "{safe}");
}
