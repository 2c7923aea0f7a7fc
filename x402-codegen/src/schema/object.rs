//! Objects: their own members and those of everything they are `allOf`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Lowered, Place, Types, text};
use crate::error::CodegenError;
use crate::model::{Field, Shape, TypeRef};
use crate::names::pascal;

/// Most levels of `allOf`, references included.
const MAX_LEVELS: usize = 32;

/// The members that an object is put together from.
#[derive(Default)]
struct Parts<'d> {
    properties: BTreeMap<&'d str, (&'d Value, Place)>,
    required: BTreeSet<&'d str>,
    additional: Option<(&'d Value, Place)>,
    patterns: bool,
    others: bool,
}

impl<'d> Types<'d> {
    pub(super) fn object(
        &mut self,
        schema: &'d Value,
        place: &Place,
        hint: &str,
    ) -> Result<Lowered, CodegenError> {
        if let Some(sole) = sole(schema) {
            let at = place.inner("allOf").inner(&sole.number.to_string());
            let lowered = self.read(sole.schema, &at, hint)?;
            return Ok(if sole.nullable {
                self.nullable(lowered, sole.schema, hint)
            } else {
                lowered
            });
        }
        let mut parts = Parts::default();
        self.gather(schema, place, &mut parts, 0)?;
        if parts.others {
            self.warnings.push(format!(
                "{}: `allOf` of something other than objects is any JSON",
                place.pointer
            ));
            return Ok(Lowered::Inline(TypeRef::Any));
        }
        let closed = parts
            .additional
            .as_ref()
            .is_some_and(|(schema, _)| **schema == false);
        let rest = match &parts.additional {
            Some((additional, at)) if !closed => {
                let hint = format!("{hint}Value");
                Some(self.lower(additional, at, &hint)?)
            }
            _ if parts.patterns => Some(TypeRef::Any),
            _ => None,
        };
        if parts.properties.is_empty() && !closed {
            let value = rest.unwrap_or(TypeRef::Any);
            return Ok(Lowered::Inline(TypeRef::Map(Box::new(value))));
        }
        let mut fields = Vec::with_capacity(parts.properties.len());
        for (name, (property, at)) in &parts.properties {
            let hint = format!("{hint}{}", pascal(name, "Value"));
            fields.push(Field {
                wire: (*name).to_owned(),
                docs: describe(property),
                ty: self.lower(property, at, &hint)?,
                required: parts.required.contains(name),
                deprecated: property.get("deprecated") == Some(&Value::Bool(true)),
            });
        }
        Ok(Lowered::Needs(Shape::Object { fields, rest }))
    }

    fn gather(
        &mut self,
        schema: &'d Value,
        place: &Place,
        parts: &mut Parts<'d>,
        level: usize,
    ) -> Result<(), CodegenError> {
        self.spend(place)?;
        if level > MAX_LEVELS {
            return Err(CodegenError::TooDeep {
                place: place.pointer.clone(),
            });
        }
        let deeper = level.saturating_add(1);
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let (target, at) = self.resolve(target, place)?;
            return self.gather(target, &at, parts, deeper);
        }
        if let Some(all) = schema.get("allOf").and_then(Value::as_array) {
            let inner = place.inner("allOf");
            for (number, one) in all.iter().enumerate() {
                self.gather(one, &inner.inner(&number.to_string()), parts, deeper)?;
            }
        }
        let object = schema.get("type").is_none_or(|kind| match kind {
            Value::Array(kinds) => kinds.iter().any(|kind| kind == "object"),
            kind => kind == "object",
        });
        let valued = ["enum", "const"];
        let union = ["oneOf", "anyOf"];
        if !object
            || valued.iter().any(|keyword| schema.get(keyword).is_some())
            || union.iter().any(|keyword| !constrains(schema, keyword))
        {
            parts.others = true;
        }
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            let inner = place.inner("properties");
            for (name, property) in properties {
                let at = inner.inner(name);
                parts.properties.insert(name, (property, at));
            }
        }
        if let Some(required) = schema.get("required").and_then(Value::as_array) {
            let names = required.iter().filter_map(Value::as_str);
            parts.required.extend(names);
        }
        if let Some(additional) = schema.get("additionalProperties") {
            let at = place.inner("additionalProperties");
            parts.additional = Some((additional, at));
        }
        parts.patterns |= schema.get("patternProperties").is_some();
        Ok(())
    }
}

/// The one member of an `allOf` that says what a value is: the others describe it, and nothing beside speaks of members. It is a
/// way to put a description beside a reference.
struct Sole<'d> {
    schema: &'d Value,
    number: usize,
    nullable: bool,
}

fn sole(schema: &Value) -> Option<Sole<'_>> {
    let about_members = ["properties", "required", "additionalProperties"];
    if about_members
        .iter()
        .any(|keyword| schema.get(keyword).is_some())
    {
        return None;
    }
    let says = |one: &Value| {
        const WHAT: &[&str] = &[
            "$ref", "allOf", "anyOf", "const", "enum", "items", "oneOf", "type",
        ];
        let mut what = WHAT.iter().chain(&about_members);
        what.any(|keyword| one.get(keyword).is_some())
    };
    let all = schema.get("allOf")?.as_array()?;
    let mut saying = all.iter().enumerate().filter(|(_, one)| says(one));
    let (number, first) = saying.next()?;
    // Several may say the same, such as a string with two limits.
    let kind = |one: &Value| match one.get("type").and_then(Value::as_str) {
        Some("object" | "array") | None => None,
        Some(kind) => Some(kind.to_owned()),
    };
    let same = |(_, one): (usize, &Value)| kind(first).is_some() && kind(one) == kind(first);
    let nullable = all
        .iter()
        .any(|one| !says(one) && one.get("nullable") == Some(&Value::Bool(true)));
    saying.all(same).then_some(Sole {
        schema: first,
        number,
        nullable,
    })
}

/// Whether a union beside members only says which of them belong together, so that a type without it is right, too. True where
/// there is none.
pub(super) fn constrains(schema: &Value, keyword: &str) -> bool {
    const MORE: &[&str] = &["$ref", "allOf", "anyOf", "const", "enum", "items", "oneOf"];
    let Some(union) = schema.get(keyword) else {
        return true;
    };
    let known = schema.get("properties").and_then(Value::as_object);
    let (Some(variants), Some(known)) = (union.as_array(), known) else {
        return false;
    };
    variants.iter().all(|variant| {
        let members = variant.get("properties").and_then(Value::as_object);
        let new = members.is_some_and(|all| all.keys().any(|name| !known.contains_key(name)));
        let other = variant.get("type").is_some_and(|kind| kind != "object");
        let more = MORE.iter().any(|keyword| variant.get(keyword).is_some());
        variant.is_object() && !new && !other && !more
    })
}

/// The description of a member, with what the schema says about its values.
pub(crate) fn describe(schema: &Value) -> Option<String> {
    let mut words = Vec::new();
    if let Some(description) = text(schema, "description") {
        words.push(description);
    }
    let number = |name: &str| schema.get(name).filter(|value| value.is_number());
    match (number("minLength"), number("maxLength")) {
        (Some(least), Some(most)) => words.push(format!("{least} to {most} characters.")),
        (Some(least), None) => words.push(format!("At least {least} characters.")),
        (None, Some(most)) => words.push(format!("At most {most} characters.")),
        (None, None) => {}
    }
    match (number("minimum"), number("maximum")) {
        (Some(least), Some(most)) => words.push(format!("{least} to {most}.")),
        (Some(least), None) => words.push(format!("At least {least}.")),
        (None, Some(most)) => words.push(format!("At most {most}.")),
        (None, None) => {}
    }
    let encoding = schema.get("contentEncoding").and_then(Value::as_str);
    let format = schema.get("format").and_then(Value::as_str);
    if let Some(format) = format.or(encoding) {
        words.push(format!("Format: {format}."));
    }
    let scalar = |value: &&Value| !value.is_object() && !value.is_array();
    if let Some(default) = schema.get("default").filter(scalar) {
        words.push(format!("Default: {default}."));
    }
    (!words.is_empty()).then(|| words.join("\n"))
}
