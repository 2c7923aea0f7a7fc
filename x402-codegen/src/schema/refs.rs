//! References: where they lead, and the named type that each becomes.

use serde_json::Value;
use x402_model::pointer;

use super::{Lowered, Place, Types, text};
use crate::error::CodegenError;
use crate::model::{Shape, TypeDef, TypeRef};
use crate::names::pascal;

/// A named schema that is not read yet.
pub(super) struct Pending<'d> {
    id: usize,
    schema: &'d Value,
    place: Place,
    name: String,
}

impl<'d> Types<'d> {
    /// The schema that a reference names, and where it stands.
    pub(super) fn resolve(
        &self,
        target: &str,
        place: &Place,
    ) -> Result<(&'d Value, Place), CodegenError> {
        let cut = || target.chars().take(100).collect();
        let Some(pointer) = target
            .strip_prefix('#')
            .filter(|pointer| pointer.is_empty() || pointer.starts_with('/'))
        else {
            return Err(CodegenError::RemoteRef {
                place: place.pointer.clone(),
                target: cut(),
            });
        };
        // What is no pointer leads nowhere.
        let pointer = pointer::of_fragment(pointer).unwrap_or_else(|| pointer.to_owned());
        // Local definitions first: `#/$defs/X` of an inline schema is about that schema.
        let local = format!("{}{pointer}", place.root);
        let found = [local, pointer].into_iter().find_map(|pointer| {
            let schema = self.document.pointer(&pointer)?;
            (!pointer.is_empty()).then_some((schema, pointer))
        });
        let Some((schema, pointer)) = found else {
            return Err(CodegenError::DanglingRef {
                place: place.pointer.clone(),
                target: cut(),
            });
        };
        // What stands below a root keeps that root.
        let root = if pointer == place.root || pointer.starts_with(&format!("{}/", place.root)) {
            place.root.clone()
        } else {
            pointer.clone()
        };
        let place = Place {
            pointer,
            root,
            depth: 0,
        };
        Ok((schema, place))
    }

    /// Reads what references have named, until nothing new is named.
    pub(super) fn drain(&mut self) -> Result<(), CodegenError> {
        while let Some(next) = self.pending.pop_front() {
            let shape = match self.read(next.schema, &next.place, &next.name)? {
                Lowered::Inline(ty) => Shape::Alias(ty),
                Lowered::Needs(shape) => shape,
            };
            let def = TypeDef {
                name: next.name,
                docs: text(next.schema, "description").or_else(|| text(next.schema, "title")),
                shape,
            };
            if let Some(slot) = self.defined.get_mut(next.id) {
                *slot = Some(def);
            }
        }
        Ok(())
    }

    /// The named type of a reference.
    pub(super) fn reference(
        &mut self,
        target: &Value,
        place: &Place,
    ) -> Result<TypeRef, CodegenError> {
        let target = target.as_str().unwrap_or_default();
        let (schema, at) = self.resolve(target, place)?;
        if let Some(id) = self.by_pointer.get(&at.pointer) {
            return Ok(TypeRef::Named(*id));
        }
        let name = match self.shared_names.get(&at.pointer) {
            Some(name) => name.clone(),
            None => {
                let last = at.pointer.rsplit('/').next().unwrap_or_default();
                self.names.unique(&pascal(last, "Type"))
            }
        };
        let id = self.defined.len();
        self.by_pointer.insert(at.pointer.clone(), id);
        self.defined.push(None);
        // Read later: however long a chain of references is, it takes no stack.
        self.pending.push_back(Pending {
            id,
            schema,
            place: at,
            name,
        });
        Ok(TypeRef::Named(id))
    }
}
