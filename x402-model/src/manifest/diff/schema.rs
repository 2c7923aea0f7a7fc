//! Differences of schemas, by the side they are on: a request must not become narrower, an answer not wider.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::{Findings, Money, Shared, Wire};

/// Which way values travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Response,
}

/// Most schemas, members and alternatives compared for one part of an endpoint: what grows without end is not followed.
const MAX_STEPS: usize = 200_000;

/// How deep schemas are compared: references may lead around in circles that are longer than any schema is deep.
const MAX_DEPTH: usize = 200;

/// Longest place that names are still added to.
const MAX_PLACE: usize = 500;

pub(super) fn compare(
    before: Option<&Value>,
    after: Option<&Value>,
    side: Side,
    shared: &Shared<'_>,
    place: &str,
    found: &mut Findings,
) {
    let anything = Value::Bool(true);
    let (before, after) = (before.unwrap_or(&anything), after.unwrap_or(&anything));
    let mut walk = Walk {
        side,
        shared,
        found,
        seen: BTreeSet::new(),
        left: MAX_STEPS,
        depth: 0,
        gave_up: false,
    };
    walk.schema(before, after, place);
    if walk.gave_up {
        // What was not looked at may break everything.
        found.add(place, "too much to compare", Wire::Major, Money::None);
    }
}

struct Walk<'w> {
    side: Side,
    shared: &'w Shared<'w>,
    found: &'w mut Findings,
    /// Pairs of references that were followed: cycles end.
    seen: BTreeSet<(String, String)>,
    /// Steps that may still be taken.
    left: usize,
    depth: usize,
    /// Whether something was not compared.
    gave_up: bool,
}

/// Constraints that allow less the smaller they are.
const CEILINGS: &[&str] = &[
    "maximum",
    "exclusiveMaximum",
    "maxLength",
    "maxItems",
    "maxProperties",
];
/// Constraints that allow less the larger they are.
const FLOORS: &[&str] = &[
    "minimum",
    "exclusiveMinimum",
    "minLength",
    "minItems",
    "minProperties",
];
/// Constraints that can only be compared as a whole.
const WHOLE: &[&str] = &[
    "pattern",
    "format",
    "multipleOf",
    "uniqueItems",
    "not",
    "patternProperties",
    "prefixItems",
];

impl Walk<'_> {
    fn add(&mut self, place: &str, what: &str, wire: Wire) {
        self.found.add(place, what, wire, Money::None);
    }

    /// Less is allowed: breaks requests. More is allowed: breaks answers.
    fn narrower(&mut self, place: &str, what: &str) {
        let wire = if self.side == Side::Request {
            Wire::Major
        } else {
            Wire::Minor
        };
        self.add(place, what, wire);
    }

    fn wider(&mut self, place: &str, what: &str) {
        let wire = if self.side == Side::Request {
            Wire::Minor
        } else {
            Wire::Major
        };
        self.add(place, what, wire);
    }

    fn schema(&mut self, before: &Value, after: &Value, place: &str) {
        let steps = entries(before).saturating_add(entries(after));
        let left = self.left.checked_sub(steps.saturating_add(1));
        let Some(left) = left.filter(|_| self.depth < MAX_DEPTH) else {
            self.gave_up = true;
            return;
        };
        self.left = left;
        self.depth = self.depth.saturating_add(1);
        self.followed(before, after, place);
        self.depth = self.depth.saturating_sub(1);
    }

    fn followed(&mut self, before: &Value, after: &Value, place: &str) {
        let name = |schema: &Value| {
            let target = schema.get("$ref").and_then(Value::as_str);
            target.map(|target| target.trim_start_matches("#/schemas/").to_owned())
        };
        let names = (name(before), name(after));
        if let (Some(old), Some(new)) = &names
            && !self.seen.insert((old.clone(), new.clone()))
        {
            return;
        }
        if names.0.is_some() || names.1.is_some() {
            let shared = self.shared;
            let old = names.0.as_ref().and_then(|name| shared.old.get(name));
            let new = names.1.as_ref().and_then(|name| shared.new.get(name));
            match (
                old.or_else(|| names.0.is_none().then_some(before)),
                new.or_else(|| names.1.is_none().then_some(after)),
            ) {
                (Some(old), Some(new)) => return self.schema(old, new, place),
                _ if before == after => return,
                _ => return self.add(place, "another reference", Wire::Major),
            }
        }
        if before == after && !has_reference(before) {
            return;
        }
        self.rules(before, after, place);
    }

    /// Compares what is written, with references only further inside.
    fn rules(&mut self, before: &Value, after: &Value, place: &str) {
        self.kinds(before, after, place);
        self.values(before, after, place);
        self.limits(before, after, place);
        self.members(before, after, place);
        for (keyword, item) in [("items", "[]"), ("additionalProperties", "{}")] {
            let (old, new) = (before.get(keyword), after.get(keyword));
            match (old.filter(|s| s.is_object()), new.filter(|s| s.is_object())) {
                (Some(old), Some(new)) => self.schema(old, new, &format!("{place}{item}")),
                // Clients never enforce that an answer is closed.
                _ if self.side == Side::Response && keyword == "additionalProperties" => {}
                _ if old == new => {}
                _ if new == Some(&Value::Bool(false)) => {
                    self.narrower(place, "nothing else is taken")
                }
                _ => self.wider(place, "more is taken"),
            }
        }
        self.alternatives(before, after, place);
        if before.get("default") != after.get("default") {
            self.add(place, "another default", Wire::Minor);
        }
    }

    fn kinds(&mut self, before: &Value, after: &Value, place: &str) {
        let kinds = |schema: &Value| -> BTreeSet<String> {
            match schema.get("type") {
                Some(Value::String(kind)) => BTreeSet::from([kind.clone()]),
                Some(Value::Array(kinds)) => kinds
                    .iter()
                    .filter_map(|k| k.as_str().map(str::to_owned))
                    .collect(),
                _ => BTreeSet::new(),
            }
        };
        let (old, new) = (kinds(before), kinds(after));
        if old == new {
            return;
        }
        // No type is every type.
        if !old.is_empty() && (new.is_empty() || new.is_superset(&old)) {
            self.wider(place, "more types");
        } else if old.is_empty() || new.is_subset(&old) {
            self.narrower(place, "fewer types");
        } else {
            self.add(place, "another type", Wire::Major);
        }
    }

    fn values(&mut self, before: &Value, after: &Value, place: &str) {
        let values = |schema: &Value| -> Option<Vec<Value>> {
            if let Some(only) = schema.get("const") {
                return Some(vec![only.clone()]);
            }
            schema.get("enum")?.as_array().cloned()
        };
        match (values(before), values(after)) {
            (Some(old), Some(new)) => {
                if lacks(&new, &old) {
                    self.narrower(place, "a value is gone");
                }
                if lacks(&old, &new) {
                    if before.get("x-open-enum") == Some(&Value::Bool(true)) {
                        self.add(place, "a new value of an open enumeration", Wire::Minor);
                    } else {
                        self.wider(place, "a new value");
                    }
                }
            }
            (None, Some(_)) => self.narrower(place, "only some values"),
            (Some(_), None) => self.wider(place, "any value"),
            (None, None) => {}
        }
    }

    fn limits(&mut self, before: &Value, after: &Value, place: &str) {
        for (keywords, ceiling) in [(CEILINGS, true), (FLOORS, false)] {
            for keyword in keywords {
                let (old, new) = (number(before, keyword), number(after, keyword));
                let tighter = match (old, new) {
                    (None, None) => continue,
                    (None, Some(_)) => true,
                    (Some(_), None) => false,
                    (Some(old), Some(new)) if old == new => continue,
                    (Some(old), Some(new)) => (new < old) == ceiling,
                };
                let what = format!("another {keyword}");
                if tighter {
                    self.narrower(place, &what)
                } else {
                    self.wider(place, &what)
                }
            }
        }
        for keyword in WHOLE {
            let (old, new) = (before.get(keyword), after.get(keyword));
            let what = format!("another {keyword}");
            match (old, new) {
                _ if old == new => {}
                (None, Some(_)) => self.narrower(place, &what),
                (Some(_), None) => self.wider(place, &what),
                _ => self.add(place, &what, Wire::Major),
            }
        }
    }

    fn members(&mut self, before: &Value, after: &Value, place: &str) {
        let required = |schema: &Value| -> BTreeSet<String> {
            let all = schema.get("required").and_then(Value::as_array);
            all.into_iter()
                .flatten()
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect()
        };
        let (old, new) = (required(before), required(after));
        for name in new.difference(&old) {
            self.narrower(&inside(place, name), "became required");
        }
        for name in old.difference(&new) {
            self.wider(&inside(place, name), "became optional");
        }
        let empty = serde_json::Map::new();
        let properties = |schema| Value::as_object(schema).unwrap_or(&empty);
        let old = before.get("properties").map_or(&empty, properties);
        let new = after.get("properties").map_or(&empty, properties);
        for (name, property) in old {
            let place = inside(place, name);
            match new.get(name) {
                Some(other) => self.schema(property, other, &place),
                None => self.add(&place, "a member is gone", Wire::Major),
            }
        }
        for name in new.keys().filter(|name| !old.contains_key(*name)) {
            self.add(&inside(place, name), "a new member", Wire::Minor);
        }
    }

    fn alternatives(&mut self, before: &Value, after: &Value, place: &str) {
        for keyword in ["oneOf", "anyOf", "allOf"] {
            let list = |schema: &Value| {
                schema
                    .get(keyword)
                    .and_then(Value::as_array)
                    .cloned()
                    .unwrap_or_default()
            };
            let (old, new) = (list(before), list(after));
            if old.len() == new.len() {
                for (old, new) in old.iter().zip(&new) {
                    self.schema(old, new, place);
                }
            } else if !lacks(&new, &old) && keyword != "allOf" {
                self.wider(place, "more alternatives");
            } else if !lacks(&old, &new) && keyword != "allOf" {
                self.narrower(place, "fewer alternatives");
            } else {
                self.add(place, "other alternatives", Wire::Major);
            }
        }
    }
}

/// The entries of all lists and maps of a schema.
fn entries(schema: &Value) -> usize {
    let members = schema.as_object().into_iter().flat_map(|it| it.values());
    let lengths = members.map(|value| match value {
        Value::Array(list) => list.len(),
        Value::Object(members) => members.len(),
        _ => 0,
    });
    lengths.sum()
}

/// Whether one of the others is not in a list.
fn lacks(list: &[Value], others: &[Value]) -> bool {
    let list: HashSet<&Value> = list.iter().collect();
    others.iter().any(|other| !list.contains(other))
}

/// The place of a member. A long one ends where it is long enough: names are foreign, and circles make places of many.
fn inside(place: &str, name: &str) -> String {
    if place.len() > MAX_PLACE {
        return place.to_owned();
    }
    let name: String = name.chars().take(MAX_PLACE).collect();
    format!("{place}/{name}")
}

fn number(schema: &Value, keyword: &str) -> Option<f64> {
    schema.get(keyword).and_then(Value::as_f64)
}

/// Whether what a schema means may change although it is written alike.
fn has_reference(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => {
            members.contains_key("$ref") || members.values().any(has_reference)
        }
        Value::Array(items) => items.iter().any(has_reference),
        _ => false,
    }
}
