//! From JSON Schema to types: what a value can be, with a name for everything that needs one.
//!
//! References are followed inside of the document only, each once: a reference becomes a named type before it is read, so
//! cycles end. What grows without references is bounded by a budget.

mod cycle;
mod object;
mod refs;
mod union;

use object::constrains;
pub(crate) use object::describe;

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value};
use x402_model::pointer;

use crate::error::CodegenError;
use crate::model::{Shape, TypeDef, TypeRef};
use crate::names::{Scope, TYPE_WORDS, pascal};
use cycle::empty_cycle;
use refs::Pending;

/// The most schemas that are read, references followed.
const MAX_SCHEMAS: usize = 200_000;

/// The deepest nesting of schemas.
const MAX_DEPTH: usize = 64;

/// Where a schema stands.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Its JSON pointer in the document.
    pub(crate) pointer: String,
    /// The pointer of the schema that local references are relative to.
    pub(crate) root: String,
    depth: usize,
}

impl Place {
    /// A schema that is a root of its own.
    pub(crate) fn root(pointer: impl Into<String>) -> Self {
        let pointer = pointer.into();
        Self {
            root: pointer.clone(),
            pointer,
            depth: 0,
        }
    }

    /// A member of an object schema.
    pub(crate) fn member(&self, name: &str) -> Self {
        self.inner("properties").inner(name)
    }

    fn inner(&self, token: &str) -> Self {
        let token = pointer::escaped(token);
        Self {
            pointer: format!("{}/{token}", self.pointer),
            root: self.root.clone(),
            depth: self.depth.saturating_add(1),
        }
    }
}

/// What became of a schema: a type without a name, or one that needs a name.
enum Lowered {
    Inline(TypeRef),
    Needs(Shape),
}

/// The types of one document.
pub(crate) struct Types<'d> {
    document: &'d Value,
    defined: Vec<Option<TypeDef>>,
    by_pointer: BTreeMap<String, usize>,
    pending: VecDeque<Pending<'d>>,
    shared_names: BTreeMap<String, String>,
    names: Scope,
    left: usize,
    lenient: bool,
    pub(crate) warnings: Vec<String>,
}

impl<'d> Types<'d> {
    /// The types of a document that keeps its shared schemas below `shared`, a JSON pointer.
    pub(crate) fn new(document: &'d Value, shared: &str) -> Self {
        let mut names = Scope::with(TYPE_WORDS);
        let mut shared_names = BTreeMap::new();
        let mut keys: Vec<&String> = document
            .pointer(shared)
            .and_then(Value::as_object)
            .map(|all| all.keys().collect())
            .unwrap_or_default();
        keys.sort();
        // Named first, so that no type without a name of its own takes one of these.
        for key in keys {
            let token = pointer::escaped(key);
            let name = names.unique(&pascal(key, "Type"));
            shared_names.insert(format!("{shared}/{token}"), name);
        }
        Self {
            document,
            defined: Vec::new(),
            by_pointer: BTreeMap::new(),
            pending: VecDeque::new(),
            shared_names,
            names,
            left: MAX_SCHEMAS,
            lenient: false,
            warnings: Vec::new(),
        }
    }

    /// The same, but a schema that is broken or elsewhere is any JSON, and a warning.
    pub(crate) const fn lenient(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// One type for all of these; `None` for none.
    pub(crate) fn either(&mut self, mut variants: Vec<TypeRef>, hint: &str) -> Option<TypeRef> {
        match variants.len() {
            0 | 1 => variants.pop(),
            _ => Some(self.named(
                Lowered::Needs(Shape::Untagged { variants }),
                &Value::Null,
                hint,
            )),
        }
    }

    /// The types, once everything was read.
    pub(crate) fn finish(mut self) -> Result<(Vec<TypeDef>, Vec<String>), CodegenError> {
        self.drain()?;
        let types: Vec<TypeDef> = self.defined.into_iter().flatten().collect();
        if let Some(def) = empty_cycle(&types) {
            return Err(CodegenError::EmptyCycle {
                place: def.name.clone(),
            });
        }
        Ok((types, self.warnings))
    }

    /// The type of a schema; `hint` is the name it gets if it needs one.
    pub(crate) fn lower(
        &mut self,
        schema: &'d Value,
        place: &Place,
        hint: &str,
    ) -> Result<TypeRef, CodegenError> {
        let lowered = self.read(schema, place, hint)?;
        Ok(self.named(lowered, schema, hint))
    }

    fn spend(&mut self, place: &Place) -> Result<(), CodegenError> {
        if place.depth > MAX_DEPTH {
            return Err(CodegenError::TooDeep {
                place: place.pointer.clone(),
            });
        }
        self.left = self
            .left
            .checked_sub(1)
            .ok_or(CodegenError::TooLarge { most: MAX_SCHEMAS })?;
        Ok(())
    }

    fn read(
        &mut self,
        schema: &'d Value,
        place: &Place,
        hint: &str,
    ) -> Result<Lowered, CodegenError> {
        self.spend(place)?;
        let members = match schema {
            Value::Bool(_) => return Ok(Lowered::Inline(TypeRef::Any)),
            Value::Object(members) => members,
            _ => {
                return self.broken(CodegenError::NotASchema {
                    place: place.pointer.clone(),
                });
            }
        };
        let lowered = self.read_members(members, schema, place, hint)?;
        if members.get("nullable") == Some(&Value::Bool(true)) {
            return Ok(self.nullable(lowered, schema, hint));
        }
        Ok(lowered)
    }

    /// A schema that cannot be read: any JSON where that is allowed.
    fn broken(&mut self, error: CodegenError) -> Result<Lowered, CodegenError> {
        if !self.lenient {
            return Err(error);
        }
        self.warnings
            .push(format!("{error}; the value is any JSON"));
        Ok(Lowered::Inline(TypeRef::Any))
    }

    fn nullable(&mut self, lowered: Lowered, schema: &Value, hint: &str) -> Lowered {
        let ty = self.named(lowered, schema, hint);
        Lowered::Inline(or_null(ty))
    }

    fn read_members(
        &mut self,
        members: &'d Map<String, Value>,
        schema: &'d Value,
        place: &Place,
        hint: &str,
    ) -> Result<Lowered, CodegenError> {
        if let Some(target) = members.get("$ref") {
            return match self.reference(target, place) {
                Ok(ty) => Ok(Lowered::Inline(ty)),
                Err(error) => self.broken(error),
            };
        }
        if members.contains_key("allOf") {
            return self.object(schema, place, hint);
        }
        for keyword in ["oneOf", "anyOf"] {
            if let Some(Value::Array(variants)) = members.get(keyword) {
                if members.contains_key("properties") {
                    if constrains(schema, keyword) {
                        continue;
                    }
                    self.warnings.push(format!(
                        "{}: members beside `{keyword}` are any JSON",
                        place.pointer
                    ));
                    return Ok(Lowered::Inline(TypeRef::Any));
                }
                let inner = place.inner(keyword);
                return self.union(variants, members.get("discriminator"), &inner, hint);
            }
        }
        if let Some(value) = members.get("const") {
            return Ok(Lowered::Inline(constant(value)));
        }
        if let Some(Value::Array(values)) = members.get("enum") {
            return Ok(enumeration(values));
        }
        match members.get("type") {
            Some(Value::Array(kinds)) => self.kinds(kinds, schema, place, hint),
            Some(Value::String(kind)) => self.kind(kind, schema, place, hint),
            _ if members.contains_key("properties")
                || members.contains_key("additionalProperties") =>
            {
                self.object(schema, place, hint)
            }
            _ if members.contains_key("items") => self.kind("array", schema, place, hint),
            _ => Ok(Lowered::Inline(TypeRef::Any)),
        }
    }

    fn kind(
        &mut self,
        kind: &str,
        schema: &'d Value,
        place: &Place,
        hint: &str,
    ) -> Result<Lowered, CodegenError> {
        Ok(Lowered::Inline(match kind {
            "null" => TypeRef::Null,
            "boolean" => TypeRef::Bool,
            "integer" => TypeRef::Int {
                unsigned: never_negative(schema),
            },
            "number" => TypeRef::Float,
            "string" => TypeRef::Text,
            "object" => return self.object(schema, place, hint),
            "array" => {
                let item = match schema.get("items") {
                    Some(items) if schema.get("prefixItems").is_none() => {
                        let hint = format!("{hint}Item");
                        self.lower(items, &place.inner("items"), &hint)?
                    }
                    _ => TypeRef::Any,
                };
                TypeRef::Array(Box::new(item))
            }
            _ => TypeRef::Any,
        }))
    }

    /// `"type": ["string", "null"]`.
    fn kinds(
        &mut self,
        kinds: &[Value],
        schema: &'d Value,
        place: &Place,
        hint: &str,
    ) -> Result<Lowered, CodegenError> {
        let nullable = kinds.iter().any(|kind| kind == "null");
        let mut others = kinds
            .iter()
            .filter_map(Value::as_str)
            .filter(|kind| *kind != "null");
        let lowered = match (others.next(), others.next()) {
            (None, _) => Lowered::Inline(TypeRef::Null),
            (Some(kind), None) => self.kind(kind, schema, place, hint)?,
            (Some(first), Some(second)) => {
                let all = [first, second].into_iter().chain(others).take(8);
                let mut variants = Vec::new();
                for kind in all {
                    let lowered = self.kind(kind, schema, place, hint)?;
                    variants.push(self.named(lowered, schema, hint));
                }
                variants.dedup();
                Lowered::Needs(Shape::Untagged { variants })
            }
        };
        if nullable {
            return Ok(self.nullable(lowered, schema, hint));
        }
        Ok(lowered)
    }

    /// The type itself, or a new named one.
    fn named(&mut self, lowered: Lowered, schema: &Value, hint: &str) -> TypeRef {
        match lowered {
            Lowered::Inline(ty) => ty,
            Lowered::Needs(shape) => {
                let mut name = pascal(hint, "Type");
                // What is inside of a type that may be null is not that type.
                if self.names.has(&name) {
                    name.push_str("Value");
                }
                let name = self.names.unique(&name);
                self.defined.push(Some(TypeDef {
                    name,
                    docs: text(schema, "description"),
                    shape,
                }));
                TypeRef::Named(self.defined.len().saturating_sub(1))
            }
        }
    }
}

pub(crate) fn text(schema: &Value, name: &str) -> Option<String> {
    let text = schema.get(name)?.as_str()?;
    (!text.trim().is_empty()).then(|| text.to_owned())
}

fn or_null(ty: TypeRef) -> TypeRef {
    match ty {
        TypeRef::Nullable(_) | TypeRef::Any | TypeRef::Null => ty,
        ty => TypeRef::Nullable(Box::new(ty)),
    }
}

fn constant(value: &Value) -> TypeRef {
    match value {
        Value::String(text) => TypeRef::Const(text.clone()),
        Value::Bool(_) => TypeRef::Bool,
        Value::Null => TypeRef::Null,
        Value::Number(number) if number.is_u64() => TypeRef::Int { unsigned: true },
        Value::Number(number) if number.is_i64() => TypeRef::Int { unsigned: false },
        Value::Number(_) => TypeRef::Float,
        _ => TypeRef::Any,
    }
}

fn enumeration(values: &[Value]) -> Lowered {
    let nullable = values.contains(&Value::Null);
    let others: Vec<&Value> = values.iter().filter(|value| !value.is_null()).collect();
    let texts: Vec<String> = others
        .iter()
        .filter_map(|value| value.as_str().map(str::to_owned))
        .collect();
    if !texts.is_empty() && texts.len() == others.len() {
        let mut unique: Vec<String> = Vec::with_capacity(texts.len());
        let mut seen = std::collections::BTreeSet::new();
        for text in texts {
            if seen.insert(text.clone()) {
                unique.push(text);
            }
        }
        if nullable {
            // A named type cannot be null itself; the known values are told by the description.
            return Lowered::Inline(TypeRef::Nullable(Box::new(TypeRef::Text)));
        }
        return Lowered::Needs(Shape::Enum { values: unique });
    }
    let mut kinds: Vec<TypeRef> = others.iter().map(|value| constant(value)).collect();
    kinds.dedup();
    let ty = match (kinds.pop(), kinds.is_empty()) {
        (Some(only), true) => only,
        _ => TypeRef::Any,
    };
    Lowered::Inline(if nullable { or_null(ty) } else { ty })
}

fn never_negative(schema: &Value) -> bool {
    let format = schema.get("format").and_then(Value::as_str);
    if format.is_some_and(|format| format.starts_with("uint")) {
        return true;
    }
    let limit = |name: &str| schema.get(name).and_then(Value::as_i64);
    limit("minimum").is_some_and(|least| least >= 0)
        || limit("exclusiveMinimum").is_some_and(|least| least >= -1)
        || schema.get("minimum").is_some_and(Value::is_u64)
}
