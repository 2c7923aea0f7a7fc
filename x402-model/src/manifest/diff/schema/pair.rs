//! Two schemas at the same place of two documents, and where their references lead.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::super::refs::resolved;
use super::keywords::is_note;

/// A schema that says nothing.
static ANYTHING: Value = Value::Bool(true);

/// A schema with the document that its references are in.
#[derive(Clone, Copy)]
pub(super) struct At<'w> {
    pub(super) root: &'w Value,
    pub(super) schema: &'w Value,
}

impl<'w> At<'w> {
    /// A document of its own; anything where there is none.
    pub(super) fn root(schema: Option<&'w Value>) -> Self {
        let schema = schema.unwrap_or(&ANYTHING);
        Self {
            root: schema,
            schema,
        }
    }

    pub(super) fn reference(self) -> Option<&'w str> {
        self.schema.get("$ref")?.as_str()
    }

    /// Itself, or what it refers to.
    pub(super) fn followed(self, shared: &'w BTreeMap<String, Value>) -> Option<Self> {
        let Some(reference) = self.reference() else {
            return Some(self);
        };
        let target = resolved(shared, self.root, reference)?;
        let (root, schema) = (target.root, target.schema);
        Some(Self { root, schema })
    }
}

/// The same place in the old document and in the new one.
#[derive(Clone, Copy)]
pub(super) struct Pair<'w> {
    pub(super) old: At<'w>,
    pub(super) new: At<'w>,
}

impl<'w> Pair<'w> {
    /// What stands inside; anything where nothing is said.
    pub(super) fn inside(self, old: Option<&'w Value>, new: Option<&'w Value>) -> Self {
        let at = |at: At<'w>, schema: Option<&'w Value>| At {
            root: at.root,
            schema: schema.unwrap_or(&ANYTHING),
        };
        Self {
            old: at(self.old, old),
            new: at(self.new, new),
        }
    }
}

/// Tells schemas apart that live as long as the comparison.
pub(super) fn address(schema: &Value) -> usize {
    core::ptr::from_ref(schema).addr()
}

/// Whether a schema with a reference says more about values than that.
pub(super) fn has_rules_beside(at: At<'_>) -> bool {
    let mut keywords = at.schema.as_object().into_iter().flat_map(|it| it.keys());
    let note = |name: &str| name == "$ref" || is_note(name);
    at.reference().is_some() && !keywords.all(|name| note(name))
}

/// The schemas with references in a value.
pub(super) fn references<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(members) => {
            found.extend(members.contains_key("$ref").then_some(value));
            members.values().for_each(|inner| references(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| references(inner, found)),
        _ => {}
    }
}

/// Whether what a schema means may change although it is written alike.
pub(super) fn has_reference(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => {
            members.contains_key("$ref") || members.values().any(has_reference)
        }
        Value::Array(items) => items.iter().any(has_reference),
        _ => false,
    }
}
