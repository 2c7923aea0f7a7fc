//! Differences of schemas, by the side they are on: a request must not become narrower, an answer not wider.

mod keywords;
mod pair;

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};

use self::keywords::{CEILINGS, FLOORS, WHOLE, is_opaque};
use self::pair::{At, Pair, address, has_reference, has_rules_beside, references};
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

pub(super) fn compare<'w>(
    before: Option<&'w Value>,
    after: Option<&'w Value>,
    side: Side,
    shared: &Shared<'w>,
    place: &str,
    found: &mut Findings,
) {
    let mut walk = Walk {
        side,
        shared,
        found,
        seen: BTreeSet::new(),
        left: MAX_STEPS,
        depth: 0,
        gave_up: false,
    };
    let (old, new) = (At::root(before), At::root(after));
    walk.schema(Pair { old, new }, place);
    if walk.gave_up {
        // What was not looked at may break everything.
        found.add(place, "too much to compare", Wire::Major, Money::None);
    }
}

struct Walk<'w, 'f> {
    side: Side,
    shared: &'f Shared<'w>,
    found: &'f mut Findings,
    /// Pairs of schemas that references led to: cycles end.
    seen: BTreeSet<(usize, usize)>,
    /// Steps that may still be taken.
    left: usize,
    depth: usize,
    /// Whether something was not compared.
    gave_up: bool,
}

impl<'w> Walk<'w, '_> {
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

    fn schema(&mut self, pair: Pair<'w>, place: &str) {
        let steps = entries(pair.old.schema).saturating_add(entries(pair.new.schema));
        let left = self.left.checked_sub(steps.saturating_add(1));
        let Some(left) = left.filter(|_| self.depth < MAX_DEPTH) else {
            self.gave_up = true;
            return;
        };
        self.left = left;
        self.depth = self.depth.saturating_add(1);
        self.followed(pair, place);
        self.depth = self.depth.saturating_sub(1);
    }

    fn followed(&mut self, pair: Pair<'w>, place: &str) {
        let (before, after) = (pair.old.schema, pair.new.schema);
        let references = (pair.old.reference(), pair.new.reference());
        match (before, after) {
            _ if references != (None, None) => {}
            (Value::Bool(false), Value::Bool(false)) => return,
            (Value::Bool(false), _) => return self.wider(place, "more is taken"),
            (_, Value::Bool(false)) => return self.narrower(place, "nothing is taken"),
            _ if before == after && !has_reference(before) => return,
            _ => return self.rules(pair, place),
        }
        let old = pair.old.followed(self.shared.old);
        let new = pair.new.followed(self.shared.new);
        match (old, new) {
            (Some(old), Some(new)) => {
                let both = matches!(references, (Some(_), Some(_)));
                // A reference that only leads to itself never ends beside something else, so that is followed until it is too much.
                if !both || self.seen.insert((address(old.schema), address(new.schema))) {
                    self.schema(Pair { old, new }, place);
                }
            }
            (None, None) if before == after => {}
            _ => self.add(place, "another reference", Wire::Major),
        }
        // What stands beside a reference holds as well.
        if let (Some(_), Some(_)) = references {
            self.rules(pair, place);
        } else if [pair.old, pair.new].into_iter().any(has_rules_beside) {
            self.add(place, "rules beside a reference", Wire::Major);
        }
    }

    /// Compares what is written, with references only further inside.
    fn rules(&mut self, pair: Pair<'w>, place: &str) {
        let (before, after) = (pair.old.schema, pair.new.schema);
        self.kinds(before, after, place);
        self.values(before, after, place);
        self.limits(before, after, place);
        self.whole(pair, place);
        self.members(pair, place);
        for (keyword, item) in [("items", "[]"), ("additionalProperties", "{}")] {
            let (old, new) = (before.get(keyword), after.get(keyword));
            let described = [old, new].iter().all(|it| it.is_some_and(Value::is_object));
            // Clients never enforce that an answer is closed.
            if described || self.side == Side::Request || keyword == "items" {
                self.schema(pair.inside(old, new), &format!("{place}{item}"));
            }
        }
        self.alternatives(pair, place);
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
    }

    /// Compares what has no direction: it is there or not, and means the same or not.
    fn whole(&mut self, pair: Pair<'w>, place: &str) {
        let keywords = |schema: &'w Value| schema.as_object().into_iter().flat_map(|it| it.keys());
        let (before, after) = (pair.old.schema, pair.new.schema);
        let keywords: BTreeSet<&String> = keywords(before).chain(keywords(after)).collect();
        for keyword in keywords {
            let name = keyword.as_str();
            if !is_opaque(name) {
                continue;
            }
            let what = format!("another {}", inside("", name).trim_start_matches('/'));
            match (before.get(name), after.get(name)) {
                (Some(old), Some(new)) if old == new && !self.means_else(pair, old) => {}
                (None, Some(_)) if WHOLE.contains(&name) => self.narrower(place, &what),
                (Some(_), None) if WHOLE.contains(&name) => self.wider(place, &what),
                _ => self.add(place, &what, Wire::Major),
            }
        }
    }

    /// Whether what is written alike on both sides refers to something that changed.
    fn means_else(&mut self, pair: Pair<'w>, both: &'w Value) -> bool {
        let mut referring = Vec::new();
        references(both, &mut referring);
        let told = self.found.0.len();
        // What was told elsewhere may count the other way here.
        let seen = core::mem::take(&mut self.seen);
        for schema in referring {
            self.schema(pair.inside(Some(schema), Some(schema)), "");
        }
        self.seen = seen;
        let changed = self.found.0.len() > told;
        self.found.0.truncate(told);
        changed
    }

    fn members(&mut self, pair: Pair<'w>, place: &str) {
        let (before, after) = (pair.old.schema, pair.new.schema);
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
        let properties = |schema: &'w Value| schema.get("properties").and_then(Value::as_object);
        let (old, new) = (properties(before), properties(after));
        let known = |all: Option<&'w Map<String, Value>>, name: &str| all?.get(name);
        for (name, property) in old.into_iter().flatten() {
            let place = inside(place, name);
            match known(new, name) {
                Some(other) => self.schema(pair.inside(Some(property), Some(other)), &place),
                None => self.add(&place, "a member is gone", Wire::Major),
            }
        }
        for (name, _) in new.into_iter().flatten() {
            if known(old, name).is_none() {
                self.add(&inside(place, name), "a new member", Wire::Minor);
            }
        }
    }

    fn alternatives(&mut self, pair: Pair<'w>, place: &str) {
        for keyword in ["oneOf", "anyOf", "allOf"] {
            let list = |at: At<'w>| at.schema.get(keyword).and_then(Value::as_array);
            let (old, new) = match (list(pair.old), list(pair.new)) {
                (None, None) => continue,
                (None, Some(_)) => {
                    self.narrower(place, "alternatives where there were none");
                    continue;
                }
                (Some(_), None) => {
                    self.wider(place, "no alternatives any more");
                    continue;
                }
                (Some(old), Some(new)) => (old, new),
            };
            if old.len() == new.len() {
                for (old, new) in old.iter().zip(new) {
                    self.schema(pair.inside(Some(old), Some(new)), place);
                }
                continue;
            }
            // Those that stayed may refer to something else.
            for stayed in common(old, new) {
                self.schema(pair.inside(Some(stayed), Some(stayed)), place);
            }
            if !lacks(new, old) && keyword != "allOf" {
                self.wider(place, "more alternatives");
            } else if !lacks(old, new) && keyword != "allOf" {
                self.narrower(place, "fewer alternatives");
            } else {
                self.add(place, "other alternatives", Wire::Major);
            }
        }
    }
}

/// What stands in both lists.
fn common<'v>(old: &'v [Value], new: &[Value]) -> Vec<&'v Value> {
    let new: HashSet<&Value> = new.iter().collect();
    old.iter().filter(|one| new.contains(one)).collect()
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
