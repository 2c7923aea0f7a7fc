//! Objects: their members, how they are made, written and read.

use super::{Context, docs};
use crate::escape::rust_string;
use crate::model::{Field, TypeRef};
use crate::names::{Scope, rust_value};
use crate::out::{Out, line};

/// What every object has. It is read by code of our own, see [`reading`].
const DERIVE: &str = "#[derive(Clone, Debug, PartialEq, Serialize)]";

/// Writes an object.
pub(super) fn write(
    out: &mut Out,
    context: &Context<'_>,
    id: usize,
    fields: &[Field],
    rest: Option<&TypeRef>,
) {
    let name = context.name(id).to_owned();
    let mut scope = Scope::with(if rest.is_some() { &["rest"] } else { &[] });
    let names: Vec<String> = fields
        .iter()
        .map(|field| scope.unique(&rust_value(&field.wire, "value")))
        .collect();
    out.line(DERIVE);
    out.block(format!("pub struct {name} {{"), "}", |out| {
        for (field, name) in fields.iter().zip(&names) {
            match &field.docs {
                Some(text) => docs(out, text),
                None => docs(out, &format!("{}.", field.wire)),
            }
            let ty = context.member(id, &field.ty);
            let mut attributes = vec![format!("rename = {}", rust_string(&field.wire))];
            let ty = if field.required {
                ty
            } else {
                attributes.push("skip_serializing_if = \"Option::is_none\"".to_owned());
                format!("Option<{ty}>")
            };
            line!(out, "#[serde({})]", attributes.join(", "));
            if field.deprecated {
                out.line("#[deprecated]");
            }
            line!(out, "pub {name}: {ty},");
        }
        if let Some(rest) = rest {
            out.line("/// All other members.");
            out.line("#[serde(flatten)]");
            line!(out, "pub rest: BTreeMap<String, {}>,", context.ty(rest));
        }
    });
    out.gap();
    constructor(out, context, id, fields, &names, rest.is_some());
    out.gap();
    reading(out, context.name(id), fields, &names, rest.is_some());
}

/// `new` with everything that must be given.
fn constructor(
    out: &mut Out,
    context: &Context<'_>,
    id: usize,
    fields: &[Field],
    names: &[String],
    rest: bool,
) {
    let given = |field: &Field| field.required && !matches!(field.ty, TypeRef::Const(_));
    let both = || fields.iter().zip(names);
    let arguments: Vec<String> = both()
        .filter(|(field, _)| given(field))
        .map(|(field, name)| format!("{name}: {}", context.member(id, &field.ty)))
        .collect();
    out.block(format!("impl {} {{", context.name(id)), "}", |out| {
        out.line("/// A value with what must be there.");
        out.line("#[must_use]");
        out.block(
            format!("pub fn new({}) -> Self {{", arguments.join(", ")),
            "}",
            |out| {
                out.block("Self {", "}", |out| {
                    for (field, name) in both() {
                        match &field.ty {
                            TypeRef::Const(value) if field.required => {
                                line!(out, "{name}: {}.to_owned(),", rust_string(value));
                            }
                            _ if field.required => line!(out, "{name},"),
                            _ => line!(out, "{name}: None,"),
                        }
                    }
                    if rest {
                        out.line("rest: BTreeMap::new(),");
                    }
                });
            },
        );
    });
}

/// Reads an object member by member, by a macro of the support code. What serde derives does the same in several times as much
/// code, most of which stands for formats other than JSON: of a client with a thousand calls, that was more than half of what a
/// compiler has to check.
fn reading(out: &mut Out, name: &str, fields: &[Field], names: &[String], rest: bool) {
    let other = if rest { "keep rest" } else { "skip" };
    let open = format!("read_members!({name} {{");
    out.block(open, &format!("}} {other});"), |out| {
        for (field, name) in fields.iter().zip(names) {
            let how = match (field.required, &field.ty) {
                (true, _) => "required",
                (false, TypeRef::Nullable(_)) => "present",
                (false, _) => "or_null",
            };
            line!(out, "{name}: {how} {},", rust_string(&field.wire));
        }
    });
}
