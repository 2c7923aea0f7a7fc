//! Where the references of schemas lead, the same for every reader of a manifest.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::pointer;

/// What a reference leads to.
#[derive(Clone, Debug)]
pub(super) struct Target<'m> {
    /// The document that references of the schema are in.
    pub(super) root: &'m Value,
    pub(super) schema: &'m Value,
    /// The shared schema that it leads to or into.
    pub(super) name: Option<&'m str>,
    /// Where it leads in that, or in its own document.
    pub(super) pointer: String,
}

/// What a reference leads to: `#/schemas/Name` to a shared schema, every other pointer into the document that it stands in.
pub(super) fn resolved<'m>(
    shared: &'m BTreeMap<String, Value>,
    root: &'m Value,
    reference: &str,
) -> Option<Target<'m>> {
    let pointer = pointer::of_fragment(reference.strip_prefix('#')?)?;
    let Some(path) = pointer.strip_prefix("/schemas/") else {
        let schema = root.pointer(&pointer)?;
        return Some(Target {
            root,
            schema,
            name: None,
            pointer,
        });
    };
    let (name, inside) = path.split_at_checked(path.find('/').unwrap_or(path.len()))?;
    let (name, root) = shared.get_key_value(&pointer::unescaped(name))?;
    Some(Target {
        root,
        schema: root.pointer(inside)?,
        name: Some(name),
        pointer: inside.to_owned(),
    })
}
