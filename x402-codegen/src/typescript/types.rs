//! Named types: interfaces, open enumerations, unions.

use super::{Context, docs};
use crate::escape::ts_string;
use crate::model::{Field, Shape, TypeDef, TypeRef};
use crate::out::{Out, line};

/// Writes all named types.
pub(super) fn write(out: &mut Out, context: &Context<'_>) {
    let mut order: Vec<&TypeDef> = context.model.types.iter().collect();
    order.sort_by(|left, right| left.name.cmp(&right.name));
    for def in order {
        docs(out, def.docs.as_deref().unwrap_or_default(), &[]);
        let name = &def.name;
        match &def.shape {
            Shape::Object { fields, rest: None } if fields.is_empty() => {
                line!(out, "export type {name} = {{ [key: string]: never }};");
            }
            Shape::Object { fields, rest: None } => {
                out.block(format!("export interface {name} {{"), "}", |out| {
                    members(out, context, fields);
                });
            }
            Shape::Object {
                fields,
                rest: Some(rest),
            } => {
                line!(
                    out,
                    "/** All other members: {}. */",
                    context.ty(rest).replace("*/", "*\\/")
                );
                out.block(
                    format!("export type {name} = {{ [key: string]: unknown }} & {{"),
                    "};",
                    |out| {
                        members(out, context, fields);
                    },
                );
            }
            Shape::Enum { values } => {
                // A value that came later must not break this client.
                let mut all: Vec<String> = values.iter().map(|value| ts_string(value)).collect();
                all.push("(string & {})".to_owned());
                line!(out, "export type {name} = {};", all.join(" | "));
            }
            Shape::Tagged { tag, variants } => {
                let all: Vec<String> = variants
                    .iter()
                    .map(|(value, ty)| {
                        let (tag, value) = (ts_string(tag), ts_string(value));
                        format!("({} & {{ {tag}: {value} }})", context.ty(ty))
                    })
                    .collect();
                line!(out, "export type {name} = {};", all.join(" | "));
            }
            Shape::Untagged { variants } => {
                let all: Vec<String> = variants.iter().map(|ty| context.ty(ty)).collect();
                line!(out, "export type {name} = {};", all.join(" | "));
            }
            Shape::Alias(ty) => line!(out, "export type {name} = {};", context.ty(ty)),
        }
        out.gap();
    }
}

fn members(out: &mut Out, context: &Context<'_>, fields: &[Field]) {
    for field in fields {
        let more = if field.deprecated {
            vec!["@deprecated".to_owned()]
        } else {
            Vec::new()
        };
        docs(out, field.docs.as_deref().unwrap_or_default(), &more);
        let optional = if field.required { "" } else { "?" };
        let more = if field.required { "" } else { " | undefined" };
        line!(
            out,
            "{}{optional}: {}{more};",
            ts_string(&field.wire),
            context.ty(&field.ty)
        );
    }
}

impl Context<'_> {
    /// A type as it is written.
    pub(super) fn ty(&self, ty: &TypeRef) -> String {
        match ty {
            TypeRef::Any => "JsonValue".to_owned(),
            TypeRef::Null => "null".to_owned(),
            TypeRef::Bool => "boolean".to_owned(),
            TypeRef::Int { .. } | TypeRef::Float => "number".to_owned(),
            TypeRef::Text => "string".to_owned(),
            TypeRef::Const(value) => ts_string(value),
            TypeRef::Array(inner) => format!("({})[]", self.ty(inner)),
            TypeRef::Map(inner) => format!("{{ [key: string]: {} }}", self.ty(inner)),
            TypeRef::Nullable(inner) => format!("{} | null", self.ty(inner)),
            TypeRef::Named(id) => {
                let def = self.model.types.get(*id);
                def.map_or_else(|| "JsonValue".to_owned(), |def| def.name.clone())
            }
        }
    }
}
