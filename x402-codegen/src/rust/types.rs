//! Named types: structs, open enumerations, unions.

use super::{Context, docs};
use crate::escape::rust_string;
use crate::graph::{alias_edges, components, cyclic};
use crate::model::{Shape, TypeDef, TypeRef};
use crate::names::{Scope, pascal};
use crate::out::{Out, line};

const DERIVE: &str = "#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]";

/// Where Rust needs a `Box`, and which aliases have to be types of their own.
pub(super) struct Boxes {
    component: Vec<usize>,
    looped: Vec<bool>,
    own: Vec<bool>,
}

impl Boxes {
    pub(super) fn new(types: &[TypeDef]) -> Self {
        let inline = |ty: &TypeRef| match ty {
            TypeRef::Named(id) => Some(*id),
            TypeRef::Nullable(inner) => match **inner {
                TypeRef::Named(id) => Some(id),
                _ => None,
            },
            _ => None,
        };
        let edges: Vec<Vec<usize>> = types
            .iter()
            .map(|def| match &def.shape {
                Shape::Object { fields, .. } => fields
                    .iter()
                    .filter_map(|field| inline(&field.ty))
                    .collect(),
                Shape::Alias(ty) => inline(ty).into_iter().collect(),
                // Variants are boxed anyway.
                _ => Vec::new(),
            })
            .collect();
        let component = components(&edges);
        let aliases = alias_edges(types);
        Self {
            looped: cyclic(&edges, &component),
            own: cyclic(&aliases, &components(&aliases)),
            component,
        }
    }

    /// Whether `owner` would contain itself through a member of type `id`.
    fn needed(&self, owner: usize, id: usize) -> bool {
        self.looped.get(owner) == Some(&true) && self.component.get(owner) == self.component.get(id)
    }
}

impl Context<'_> {
    /// A type as it is written.
    pub(super) fn ty(&self, ty: &TypeRef) -> String {
        match ty {
            TypeRef::Any => "Value".to_owned(),
            TypeRef::Null => "()".to_owned(),
            TypeRef::Bool => "bool".to_owned(),
            TypeRef::Int { unsigned: true } => "u64".to_owned(),
            TypeRef::Int { unsigned: false } => "i64".to_owned(),
            TypeRef::Float => "f64".to_owned(),
            TypeRef::Text | TypeRef::Const(_) => "String".to_owned(),
            TypeRef::Array(inner) => format!("Vec<{}>", self.ty(inner)),
            TypeRef::Map(inner) => format!("BTreeMap<String, {}>", self.ty(inner)),
            TypeRef::Nullable(inner) => format!("Option<{}>", self.ty(inner)),
            TypeRef::Named(id) => self.name(*id).to_owned(),
        }
    }

    pub(super) fn name(&self, id: usize) -> &str {
        self.model
            .types
            .get(id)
            .map_or("Value", |def| def.name.as_str())
    }

    /// The type of a member of `owner`, boxed where it must be.
    pub(super) fn member(&self, owner: usize, ty: &TypeRef) -> String {
        match ty {
            TypeRef::Named(id) if self.boxes.needed(owner, *id) => {
                format!("Box<{}>", self.name(*id))
            }
            TypeRef::Nullable(inner) => format!("Option<{}>", self.member(owner, inner)),
            ty => self.ty(ty),
        }
    }
}

/// Writes all named types.
pub(super) fn write(out: &mut Out, context: &Context<'_>) {
    let mut order: Vec<(usize, &TypeDef)> = context.model.types.iter().enumerate().collect();
    order.sort_by(|(_, left), (_, right)| left.name.cmp(&right.name));
    for (id, def) in order {
        match &def.docs {
            Some(text) => docs(out, text),
            None => line!(out, "/// `{}` of the document.", def.name),
        }
        match &def.shape {
            Shape::Object { fields, rest } => {
                super::object::write(out, context, id, fields, rest.as_ref());
            }
            Shape::Enum { values } => enumeration(out, &def.name, values),
            Shape::Tagged { tag, variants } => tagged(out, context, &def.name, tag, variants),
            Shape::Untagged { variants } => untagged(out, context, &def.name, variants),
            Shape::Alias(ty) if context.boxes.own.get(id) == Some(&true) => {
                out.line(DERIVE);
                out.line("#[serde(transparent)]");
                line!(
                    out,
                    "pub struct {}(pub {});",
                    def.name,
                    boxed_alias(context, ty)
                );
            }
            Shape::Alias(ty) => line!(out, "pub type {} = {};", def.name, context.ty(ty)),
        }
        out.gap();
    }
}

/// What stands in an alias of its own; lists and maps put it elsewhere already.
fn boxed_alias(context: &Context<'_>, ty: &TypeRef) -> String {
    match ty {
        TypeRef::Nullable(inner) => format!("Option<Box<{}>>", context.ty(inner)),
        ty => context.ty(ty),
    }
}

fn enumeration(out: &mut Out, name: &str, values: &[String]) {
    let mut scope = Scope::with(&["Other", "Self"]);
    let variants: Vec<(String, String)> = values
        .iter()
        .map(|value| (scope.unique(&pascal(value, "Value")), rust_string(value)))
        .collect();
    out.line("#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]");
    out.block(format!("pub enum {name} {{"), "}", |out| {
        for ((variant, _), value) in variants.iter().zip(values) {
            docs(out, &format!("{value}."));
            if crate::escape::lines(value).is_empty() {
                out.line("/// A value without visible characters.");
            }
            line!(out, "{variant},");
        }
        out.line("/// A value that this file does not know.");
        out.line("Other(String),");
    });
    out.gap();
    out.block(format!("impl {name} {{"), "}", |out| {
        out.line("/// The value on the wire.");
        out.line("#[must_use]");
        out.block("pub fn as_str(&self) -> &str {", "}", |out| {
            out.block("match self {", "}", |out| {
                for (variant, literal) in &variants {
                    line!(out, "Self::{variant} => {literal},");
                }
                out.line("Self::Other(value) => value,");
            });
        });
    });
    out.gap();
    out.block(format!("impl From<&str> for {name} {{"), "}", |out| {
        out.block("fn from(value: &str) -> Self {", "}", |out| {
            out.block("match value {", "}", |out| {
                for (variant, literal) in &variants {
                    line!(out, "{literal} => Self::{variant},");
                }
                out.line("other => Self::Other(other.to_owned()),");
            });
        });
    });
    out.gap();
    out.block(format!("impl Serialize for {name} {{"), "}", |out| {
        out.block(
            "fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {",
            "}",
            |out| {
                out.line("serializer.serialize_str(self.as_str())");
            },
        );
    });
    out.gap();
    out.block(format!("impl<'de> Deserialize<'de> for {name} {{"), "}", |out| {
        out.block("fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {", "}", |out| {
            out.line("String::deserialize(deserializer).map(|value| Self::from(value.as_str()))");
        });
    });
}

fn tagged(
    out: &mut Out,
    context: &Context<'_>,
    name: &str,
    tag: &str,
    variants: &[(String, TypeRef)],
) {
    let mut scope = Scope::with(&["Other", "Self"]);
    let names: Vec<String> = variants
        .iter()
        .map(|(value, _)| scope.unique(&pascal(value, "Variant")))
        .collect();
    let tag = rust_string(tag);
    let both = || variants.iter().zip(&names);
    out.line("#[derive(Clone, Debug, PartialEq)]");
    out.block(format!("pub enum {name} {{"), "}", |out| {
        for ((value, ty), variant) in both() {
            docs(out, &format!("{value}."));
            line!(out, "{variant}(Box<{}>),", context.ty(ty));
        }
        out.line("/// A kind that this file does not know.");
        out.line("Other(Value),");
    });
    out.gap();
    out.block(format!("impl Serialize for {name} {{"), "}", |out| {
        out.block(
            "fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {",
            "}",
            |out| {
                out.block("let (tag, value) = match self {", "};", |out| {
                    for ((value, _), variant) in both() {
                        line!(
                            out,
                            "Self::{variant}(value) => ({}, serde_json::to_value(value)),",
                            rust_string(value)
                        );
                    }
                    out.line("Self::Other(value) => return value.serialize(serializer),");
                });
                out.line("let mut value = value.map_err(serde::ser::Error::custom)?;");
                out.block("if let Value::Object(members) = &mut value {", "}", |out| {
                    line!(out, "members.insert({tag}.to_owned(), Value::from(tag));");
                });
                out.line("value.serialize(serializer)");
            },
        );
    });
    out.gap();
    out.block(format!("impl<'de> Deserialize<'de> for {name} {{"), "}", |out| {
        out.block("fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {", "}", |out| {
            out.line("let value = Value::deserialize(deserializer)?;");
            line!(out, "let tag = value.get({tag}).and_then(Value::as_str).map(str::to_owned);");
            out.block("let read = match tag.as_deref() {", "};", |out| {
                for ((value, _), variant) in both() {
                    line!(out, "Some({}) => serde_json::from_value(value).map(Self::{variant}),", rust_string(value));
                }
                out.line("_ => Ok(Self::Other(value)),");
            });
            out.line("read.map_err(serde::de::Error::custom)");
        });
    });
}

fn untagged(out: &mut Out, context: &Context<'_>, name: &str, variants: &[TypeRef]) {
    let mut scope = Scope::with(&["Other", "Self"]);
    out.line(DERIVE);
    out.line("#[serde(untagged)]");
    out.block(format!("pub enum {name} {{"), "}", |out| {
        for ty in variants {
            let variant = scope.unique(&variant_name(context, ty));
            let inner = match ty {
                TypeRef::Named(id) => format!("Box<{}>", context.name(*id)),
                ty => context.ty(ty),
            };
            line!(out, "/// {inner}.", inner = inner.replace('<', "&lt;"));
            line!(out, "{variant}({inner}),");
        }
        out.line("/// A value of another type than this file knows.");
        out.line("Other(Value),");
    });
}

fn variant_name(context: &Context<'_>, ty: &TypeRef) -> String {
    match ty {
        TypeRef::Any => "Any".to_owned(),
        TypeRef::Null => "Null".to_owned(),
        TypeRef::Bool => "Bool".to_owned(),
        TypeRef::Int { .. } => "Integer".to_owned(),
        TypeRef::Float => "Number".to_owned(),
        TypeRef::Text | TypeRef::Const(_) => "Text".to_owned(),
        TypeRef::Array(_) => "List".to_owned(),
        TypeRef::Map(_) => "Map".to_owned(),
        TypeRef::Nullable(inner) => variant_name(context, inner),
        TypeRef::Named(id) => context.name(*id).to_owned(),
    }
}
