//! Unions: nullable types, open enumerations, objects told apart by a member, and all others.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Lowered, Place, Types, constant, or_null};
use crate::error::CodegenError;
use crate::model::{Shape, TypeRef};
use crate::names::pascal;

/// Most alternatives of a union.
const MAX_VARIANTS: usize = 500;

impl<'d> Types<'d> {
    pub(super) fn union(
        &mut self,
        variants: &'d [Value],
        discriminator: Option<&'d Value>,
        place: &Place,
        hint: &str,
    ) -> Result<Lowered, CodegenError> {
        if variants.len() > MAX_VARIANTS {
            return self.broken(CodegenError::TooManyVariants {
                place: place.pointer.clone(),
                most: MAX_VARIANTS,
            });
        }
        let is_null = |schema: &Value| {
            schema.get("type").is_some_and(|kind| kind == "null")
                || schema.get("const").is_some_and(Value::is_null)
        };
        let nullable = variants.iter().any(is_null);
        let others: Vec<(&'d Value, Place)> = variants
            .iter()
            .enumerate()
            .filter(|(_, schema)| !is_null(schema))
            .map(|(number, schema)| (schema, place.inner(&number.to_string())))
            .collect();
        let lowered = match others.as_slice() {
            [] => Lowered::Inline(TypeRef::Null),
            [(only, at)] => self.read(only, at, hint)?,
            all => match listed(all) {
                Some(values) => Lowered::Needs(Shape::Enum { values }),
                None => Lowered::Needs(self.alternatives(all, discriminator, hint)?),
            },
        };
        if nullable {
            let ty = self.named(lowered, &Value::Null, hint);
            return Ok(Lowered::Inline(or_null(ty)));
        }
        Ok(lowered)
    }

    fn alternatives(
        &mut self,
        all: &[(&'d Value, Place)],
        discriminator: Option<&'d Value>,
        hint: &str,
    ) -> Result<Shape, CodegenError> {
        if let Some((tag, values)) = self.tag(all, discriminator)? {
            let mut variants = Vec::with_capacity(all.len());
            for ((schema, at), value) in all.iter().zip(values) {
                let hint = format!("{hint}{}", pascal(&value, "Variant"));
                variants.push((value, self.lower(schema, at, &hint)?));
            }
            return Ok(Shape::Tagged { tag, variants });
        }
        let mut variants = Vec::with_capacity(all.len());
        for (number, (schema, at)) in all.iter().enumerate() {
            let hint = format!("{hint}Variant{}", number.saturating_add(1));
            let ty = self.lower(schema, at, &hint)?;
            if !variants.contains(&ty) {
                variants.push(ty);
            }
        }
        Ok(match variants.pop() {
            Some(only) if variants.is_empty() => Shape::Alias(only),
            Some(last) => {
                variants.push(last);
                Shape::Untagged { variants }
            }
            None => Shape::Alias(TypeRef::Any),
        })
    }

    /// The member that tells the alternatives apart, and its value in each.
    fn tag(
        &self,
        all: &[(&'d Value, Place)],
        discriminator: Option<&'d Value>,
    ) -> Result<Option<(String, Vec<String>)>, CodegenError> {
        if let Some(name) = discriminator
            .and_then(|d| d.get("propertyName"))
            .and_then(Value::as_str)
        {
            let mut values = Vec::with_capacity(all.len());
            for (schema, place) in all {
                // Without a mapping, many name their schemas in another way than their values.
                let value = match mapped(schema, discriminator) {
                    Some(value) => Some(value),
                    None => self.constants(schema, place, false)?.remove(name),
                };
                values.extend(value.or_else(|| named(schema)));
            }
            let complete = values.len() == all.len() && differ(&values);
            return Ok(complete.then(|| (name.to_owned(), values)));
        }
        let mut constants = Vec::with_capacity(all.len());
        for (schema, place) in all {
            constants.push(self.constants(schema, place, true)?);
        }
        let first = constants.first().cloned().unwrap_or_default();
        for name in first.keys() {
            let values: Option<Vec<String>> = constants
                .iter()
                .map(|members| members.get(name).cloned())
                .collect();
            if let Some(values) = values.filter(|values| differ(values)) {
                return Ok(Some((name.clone(), values)));
            }
        }
        Ok(None)
    }

    /// Members of an alternative that have only one value; of all members or of those that are required.
    fn constants(
        &self,
        schema: &'d Value,
        place: &Place,
        required_only: bool,
    ) -> Result<BTreeMap<String, String>, CodegenError> {
        let (mut schema, mut place) = (schema, place.clone());
        for _ in 0..8 {
            let Some(target) = schema.get("$ref").and_then(Value::as_str) else {
                break;
            };
            (schema, place) = self.resolve(target, &place)?;
        }
        let required = schema.get("required").and_then(Value::as_array);
        let properties = schema.get("properties").and_then(Value::as_object);
        let Some(properties) = properties else {
            return Ok(BTreeMap::new());
        };
        let needed = |name: &str| {
            !required_only || required.is_some_and(|all| all.iter().any(|one| one == name))
        };
        let only = |property: &Value| -> Option<String> {
            if let Some(value) = property.get("const") {
                return value.as_str().map(str::to_owned);
            }
            match property.get("enum")?.as_array()?.as_slice() {
                [value] => value.as_str().map(str::to_owned),
                _ => None,
            }
        };
        Ok(properties
            .iter()
            .filter(|(name, _)| needed(name))
            .filter_map(|(name, property)| Some((name.clone(), only(property)?)))
            .collect())
    }
}

fn differ(values: &[String]) -> bool {
    let mut seen = BTreeSet::new();
    values.iter().all(|value| seen.insert(value))
}

/// The value that the mapping of a discriminator gives to an alternative.
fn mapped(schema: &Value, discriminator: Option<&Value>) -> Option<String> {
    let target = schema.get("$ref")?.as_str()?;
    let mapping = discriminator
        .and_then(|d| d.get("mapping"))
        .and_then(Value::as_object);
    let mut all: Vec<_> = mapping?.iter().collect();
    all.sort_by_key(|(name, _)| name.as_str());
    let found = all.into_iter().find(|(_, to)| *to == target);
    found.map(|(name, _)| name.clone())
}

/// The name of a schema that is referred to.
fn named(schema: &Value) -> Option<String> {
    let target = schema.get("$ref")?.as_str()?;
    target.rsplit('/').next().map(str::to_owned)
}

/// The values of a union of constant strings, which is how some write an enumeration with descriptions.
fn listed(all: &[(&Value, Place)]) -> Option<Vec<String>> {
    let values: Option<Vec<String>> = all
        .iter()
        .map(|(schema, _)| match constant(schema.get("const")?) {
            TypeRef::Const(value) => Some(value),
            _ => None,
        })
        .collect();
    values.filter(|values| differ(values))
}
