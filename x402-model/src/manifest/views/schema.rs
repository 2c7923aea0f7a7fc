//! Schemas of a manifest inside of another document: references lead to one place of it, and every reader takes the rest.
//!
//! Readers of single documents resolve no reference that leaves them and refuse foreign `$id`s, so shared schemas and the `$defs` of
//! nested ones are gathered in a [`Pool`] under names that do not collide.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::keyword::{Holds, holds, is_annotation, is_definitions, is_dropped, is_rule, required};
use super::text::visible;
use super::{nulls, widened};
use crate::manifest::canonical_hash;
use crate::manifest::refs::resolved;
use crate::pointer;

/// Where schemas that stand alone have their definitions.
pub(super) const DEFINITIONS: &str = "#/$defs/";

/// Most steps taken to find out which definitions of different documents are the same.
const MAX_STEPS: usize = 100_000;

/// Most references followed from one schema to the next.
const MAX_HOPS: usize = 16;

/// Whether something is sent to the service or comes from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// What can be left out is never sent as `null`, so the schema does not offer it.
    Input,
    /// Answers may hold every `null` that the service says.
    Output,
}

/// Gathers the schemas that others refer to.
#[derive(Debug)]
pub(super) struct Pool<'m> {
    shared: &'m BTreeMap<String, Value>,
    prefix: &'static str,
    /// Names by what they stand for.
    names: BTreeMap<Key, String>,
    /// Names by the reference that was written, and the document it was written in.
    written: BTreeMap<(usize, String), String>,
    /// What stands at a pointer of a document: the hash of its text, and where it refers to in turn.
    contents: BTreeMap<(usize, String), ([u8; 32], Vec<String>)>,
    taken: BTreeSet<String>,
    waiting: Vec<(String, Target<'m>)>,
    done: Map<String, Value>,
    /// Steps of comparison that are left.
    steps: usize,
}

/// A schema with the document that its references are in.
#[derive(Clone, Copy, Debug)]
struct Target<'m> {
    root: &'m Value,
    schema: &'m Value,
}

/// What a reference stands for; the same for the same schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// A shared schema, and a pointer in it.
    Shared(String, String),
    /// A pointer and the hash of all that can be reached from it within its document, so that equal definitions of two documents
    /// are one.
    Local(String, [u8; 32]),
    /// A pointer in one document, where too much can be reached to look for the same elsewhere.
    Here(usize, String),
}

impl<'m> Pool<'m> {
    /// Gathers at a place of the document, such as `#/$defs/`.
    pub(super) fn new(shared: &'m BTreeMap<String, Value>, prefix: &'static str) -> Self {
        Self {
            shared,
            prefix,
            names: BTreeMap::new(),
            written: BTreeMap::new(),
            contents: BTreeMap::new(),
            taken: BTreeSet::new(),
            waiting: Vec::new(),
            done: Map::new(),
            steps: MAX_STEPS,
        }
    }

    /// Takes a name for a schema that no schema of the manifest may have.
    pub(super) fn reserve(&mut self, name: &str) -> String {
        let name = component_name(name);
        let mut free = name.clone();
        let mut count = 1_usize;
        while !self.taken.insert(free.clone()) {
            count = count.saturating_add(1);
            free = format!("{name}{count}");
        }
        free
    }

    /// Keeps a schema of one's own under a reserved name.
    pub(super) fn keep(&mut self, name: String, schema: Value) {
        self.done.insert(name, schema);
    }

    /// A schema for the document, with what it refers to.
    ///
    /// What outputs refer to must be added first: a schema that is used both ways keeps what answers may hold.
    pub(super) fn add(&mut self, schema: &'m Value, direction: Direction) -> Value {
        let root = Target {
            root: schema,
            schema,
        };
        let added = self.rewritten(root, direction);
        self.gather(direction);
        added
    }

    /// As [`Self::add`], with the schema itself where it is only a reference.
    pub(super) fn add_inlined(&mut self, schema: &'m Value, direction: Direction) -> Value {
        let mut at = Target {
            root: schema,
            schema,
        };
        let mut notes = Map::new();
        for _ in 0..MAX_HOPS {
            let Some(reference) = at.schema.get("$ref").and_then(Value::as_str) else {
                break;
            };
            let rules = |(name, _): &(&String, _)| *name == "$ref" || is_definitions(name);
            let members: Vec<_> = at.schema.as_object().into_iter().flatten().collect();
            if !members.iter().all(|m| rules(m) || is_annotation(m.0)) {
                break;
            }
            let Some((_, target)) = self.resolved(at.root, reference) else {
                break;
            };
            for (name, value) in members.into_iter().filter(|m| !rules(m)) {
                if let Some(value) = self.member(at.root, name, value, direction) {
                    notes.entry(name.clone()).or_insert(value);
                }
            }
            at = target;
        }
        let mut added = self.rewritten(at, direction);
        if let Value::Object(members) = &mut added {
            members.extend(notes);
        }
        self.gather(direction);
        added
    }

    /// All that was referred to, by name.
    pub(super) fn finish(self) -> Map<String, Value> {
        self.done
    }

    /// A schema with all that was referred to as its own definitions: of a pool that gathers at [`DEFINITIONS`].
    pub(super) fn close(mut self, mut schema: Value) -> Value {
        let wide = widened::wide(&mut self.done, self.prefix);
        if let (Value::Object(members), false) = (&mut schema, self.done.is_empty()) {
            members.insert("$defs".to_owned(), Value::Object(self.done));
        }
        widened::settle(&mut schema, self.prefix, &wide);
        schema
    }

    fn gather(&mut self, direction: Direction) {
        while let Some((name, target)) = self.waiting.pop() {
            let schema = self.rewritten(target, direction);
            self.done.insert(name, schema);
        }
    }

    fn rewritten(&mut self, at: Target<'m>, direction: Direction) -> Value {
        let Value::Object(members) = at.schema else {
            return at.schema.clone();
        };
        let mut out = Map::new();
        for (keyword, value) in members {
            if let Some(value) = self.member(at.root, keyword, value, direction) {
                let tuple = keyword == "items" && value.is_array();
                out.insert(
                    if tuple { "prefixItems" } else { keyword }.to_owned(),
                    value,
                );
            } else if is_rule(keyword) {
                widened::mark(&mut out);
            }
        }
        if direction == Direction::Input {
            optional_without_null(members, &mut out);
        }
        Value::Object(nulls::spelled(out))
    }

    fn member(
        &mut self,
        root: &'m Value,
        keyword: &str,
        value: &'m Value,
        direction: Direction,
    ) -> Option<Value> {
        let mut inner = |schema| self.rewritten(Target { root, schema }, direction);
        match (holds(keyword, value), value) {
            _ if is_dropped(keyword, value) => None,
            (_, Value::String(text)) if matches!(keyword, "title" | "description") => {
                Some(visible(text).into())
            }
            (_, Value::String(reference)) if keyword == "$ref" => self.reference(root, reference),
            (Holds::One, value) => Some(inner(value)),
            (Holds::Many, Value::Array(list)) => Some(list.iter().map(inner).collect()),
            (Holds::Named, Value::Object(named)) => {
                let named = named
                    .iter()
                    .map(|(name, schema)| (name.clone(), inner(schema)));
                Some(Value::Object(named.collect()))
            }
            (_, value) => Some(value.clone()),
        }
    }

    /// The new text of a reference. One that leads nowhere is left out, and what stood there takes anything.
    fn reference(&mut self, root: &'m Value, reference: &str) -> Option<Value> {
        let written = (address(root), reference.to_owned());
        if let Some(name) = self.written.get(&written) {
            return Some(format!("{}{name}", self.prefix).into());
        }
        let (place, target) = self.resolved(root, reference)?;
        let last = match &place {
            Place::Shared(name, inside) if inside.is_empty() => Some(name.clone()),
            Place::Shared(_, pointer) | Place::Local(pointer) => pointer::tokens(pointer).last(),
        };
        let key = self.key(place, target.root);
        let name = if let Some(name) = self.names.get(&key) {
            name.clone()
        } else {
            let title = || target.schema.get("title").and_then(Value::as_str);
            let last = last.filter(|last| !last.is_empty());
            let name = last.unwrap_or_else(|| title().unwrap_or("Root").to_owned());
            let name = self.reserve(&name);
            self.names.insert(key, name.clone());
            self.waiting.push((name.clone(), target));
            name
        };
        let text = format!("{}{name}", self.prefix);
        self.written.insert(written, name);
        Some(text.into())
    }

    /// What a reference leads to, and where that is.
    fn resolved(&self, root: &'m Value, reference: &str) -> Option<(Place, Target<'m>)> {
        let found = resolved(self.shared, root, reference)?;
        let shared = |(_, schema): &(&String, &Value)| core::ptr::eq(*schema, root);
        let own = || Some(self.shared.iter().find(shared)?.0.as_str());
        let whole = || found.pointer.is_empty().then(own).flatten();
        let place = match found.name.or_else(whole) {
            Some(name) => Place::Shared(name.to_owned(), found.pointer.clone()),
            None => Place::Local(found.pointer.clone()),
        };
        let (root, schema) = (found.root, found.schema);
        Some((place, Target { root, schema }))
    }

    fn key(&mut self, place: Place, root: &Value) -> Key {
        let start = match place {
            Place::Shared(name, inside) => return Key::Shared(name, inside),
            Place::Local(pointer) => pointer,
        };
        let mut reached: BTreeMap<String, [u8; 32]> = BTreeMap::new();
        let mut waiting = vec![start.clone()];
        while let Some(pointer) = waiting.pop() {
            if reached.contains_key(&pointer) {
                continue;
            }
            let at = (address(root), pointer.clone());
            let (hash, next) = self
                .contents
                .entry(at)
                .or_insert_with(|| content(root, &pointer));
            let Some(left) = self.steps.checked_sub(next.len().saturating_add(1)) else {
                self.steps = 0;
                return Key::Here(address(root), start);
            };
            self.steps = left;
            waiting.extend(next.iter().filter(|it| !reached.contains_key(*it)).cloned());
            reached.insert(pointer, *hash);
        }
        let mut all = Sha256::new();
        for (pointer, hash) in reached {
            all.update(Sha256::digest(pointer));
            all.update(hash);
        }
        Key::Local(start, all.finalize().into())
    }
}

/// Where a reference leads.
#[derive(Debug)]
enum Place {
    /// A shared schema, and a pointer in it.
    Shared(String, String),
    /// A pointer in the document of the reference.
    Local(String),
}

/// Tells documents apart that live as long as the pool.
fn address(root: &Value) -> usize {
    core::ptr::from_ref(root).addr()
}

/// The hash of what stands at a pointer, and the pointers of its document that it refers to.
fn content(root: &Value, pointer: &str) -> ([u8; 32], Vec<String>) {
    let Some(schema) = root.pointer(pointer) else {
        return ([0; 32], Vec::new());
    };
    let mut found = Vec::new();
    references(schema, &mut found);
    let next: BTreeSet<String> = found
        .iter()
        .filter_map(|reference| pointer::of_fragment(reference.strip_prefix('#')?))
        .filter(|pointer| !pointer.starts_with("/schemas/"))
        .collect();
    (canonical_hash(schema), next.into_iter().collect())
}

fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|inner| references(inner, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| references(inner, found)),
        _ => {}
    }
}

fn optional_without_null(members: &Map<String, Value>, out: &mut Map<String, Value>) {
    let needed = required(members);
    if let Some(Value::Object(properties)) = out.get_mut("properties") {
        for (name, schema) in properties {
            if !needed.contains(&name.as_str()) {
                nulls::without_null(schema);
            }
        }
    }
}

/// A name that OpenAPI takes for a component.
fn component_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let name: String = name
        .chars()
        .take(64)
        .map(|c| if plain(c) { c } else { '_' })
        .collect();
    if name.is_empty() {
        "_".to_owned()
    } else {
        name
    }
}
