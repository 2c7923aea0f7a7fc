//! Parameters of an operation and of its path.

use serde_json::Value;
use x402_model::pointer::escaped;

use super::operation::Route;
use super::{Description, sorted};
use crate::error::CodegenError;
use crate::lower::{RESERVED_HEADERS, checked, is_json};
use crate::model::{Field, Param, ParamPlace, Style, TypeRef};
use crate::names::pascal;
use crate::schema::{Place, Types, describe, text};

/// Parameters of the operation and of its path; those of the operation come first.
pub(super) fn parameters<'d>(
    description: &mut Description<'d>,
    route: &Route<'d>,
    name: &str,
    types: &mut Types<'d>,
) -> Result<Vec<Param>, CodegenError> {
    let pointer = route.pointer();
    let above = format!("/paths/{}", escaped(route.path));
    let mut params: Vec<Param> = Vec::new();
    for (owner, pointer) in [(route.operation, pointer), (route.item, above)] {
        let all = owner.get("parameters").and_then(Value::as_array);
        for (number, parameter) in all.into_iter().flatten().enumerate() {
            let at = format!("{pointer}/parameters/{number}");
            let (parameter, at) = description.part(parameter, at)?;
            let Some(wire) = text(parameter, "name") else {
                continue;
            };
            let Some(place) = place(parameter) else {
                let cookie = parameter.get("in").is_some_and(|place| place == "cookie");
                if cookie {
                    description.warnings.push(format!(
                        "{at}: the cookie {wire:?} is no parameter; give a `cookie` header with the call"
                    ));
                }
                continue;
            };
            let known = |param: &Param| param.place == place && param.field.wire == wire;
            // The client sets some headers itself; descriptions list them for readers that want an input.
            let lower = wire.to_ascii_lowercase();
            let own = RESERVED_HEADERS.contains(&lower.as_str()) || lower == "authorization";
            if params.iter().any(known) || (place == ParamPlace::Header && own) {
                continue;
            }
            let param = one(description, (parameter, &at), (place, wire), name, types)?;
            params.push(checked(param, &at)?);
        }
    }
    params.sort_by(|left, right| {
        (left.place, &left.field.wire).cmp(&(right.place, &right.field.wire))
    });
    Ok(params)
}

fn one<'d>(
    description: &mut Description<'d>,
    (parameter, at): (&'d Value, &str),
    (place, wire): (ParamPlace, String),
    name: &str,
    types: &mut Types<'d>,
) -> Result<Param, CodegenError> {
    let hint = format!("{name}{}", pascal(&wire, "Value"));
    let content = sorted(parameter.get("content")).into_iter().next();
    let (schema, schema_at, json) = match (parameter.get("schema"), content) {
        (None, Some((kind, media))) => (
            media.get("schema"),
            format!("{at}/content/{}/schema", escaped(kind)),
            is_json(kind),
        ),
        (schema, _) => (schema, format!("{at}/schema"), false),
    };
    let style = match schema {
        Some(_) if json => Style::Json,
        Some(schema) => {
            let composed = composed(description, schema, &schema_at, 0);
            style(parameter, place, composed).unwrap_or_else(|| {
                description.warnings.push(format!(
                    "{at}: this style of a parameter is not known; it is sent as text"
                ));
                Style::Plain
            })
        }
        None => Style::Plain,
    };
    let said = text(parameter, "description");
    let ty = schema.map(|schema| types.lower(schema, &Place::root(schema_at), &hint));
    let field = Field {
        docs: said.or_else(|| schema.and_then(describe)),
        ty: ty.transpose()?.unwrap_or(TypeRef::Text),
        required: place == ParamPlace::Path
            || parameter.get("required") == Some(&Value::Bool(true)),
        deprecated: parameter.get("deprecated") == Some(&Value::Bool(true)),
        wire,
    };
    Ok(Param {
        place,
        field,
        style,
    })
}

fn place(parameter: &Value) -> Option<ParamPlace> {
    match parameter.get("in")?.as_str()? {
        "path" => Some(ParamPlace::Path),
        "query" => Some(ParamPlace::Query),
        "header" => Some(ParamPlace::Header),
        _ => None,
    }
}

/// What a value of a schema may be, beside a scalar.
#[derive(Clone, Copy, Default)]
struct Composed {
    list: bool,
    object: bool,
}

/// Looks through references and unions; what is deeper than a few levels counts as scalar.
fn composed(description: &Description<'_>, schema: &Value, at: &str, level: usize) -> Composed {
    let mut found = Composed::default();
    if level > 8 {
        return found;
    }
    let Ok((schema, _)) = description.part(schema, at.to_owned()) else {
        return found;
    };
    let is = |kind: &str| match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(|one| one == kind),
        one => one.is_some_and(|one| one == kind),
    };
    found.list = is("array") || schema.get("items").is_some();
    found.object = is("object")
        || ["properties", "additionalProperties"]
            .iter()
            .any(|keyword| schema.get(keyword).is_some());
    for keyword in ["oneOf", "anyOf", "allOf"] {
        let inner = schema.get(keyword).and_then(Value::as_array);
        for one in inner.into_iter().flatten().take(20) {
            let inner = composed(description, one, at, level.saturating_add(1));
            found.list |= inner.list;
            found.object |= inner.object;
        }
    }
    found
}

/// How the value is written; `None` for a style that is not written.
fn style(parameter: &Value, place: ParamPlace, composed: Composed) -> Option<Style> {
    let style = parameter.get("style").and_then(Value::as_str);
    let explode = parameter.get("explode").and_then(Value::as_bool);
    if place != ParamPlace::Query {
        let named = explode.unwrap_or(false);
        return match style.unwrap_or("simple") {
            "simple" if composed.list || composed.object => Some(Style::Joined {
                between: ",",
                named,
            }),
            "simple" => Some(Style::Plain),
            _ => None,
        };
    }
    let joined = |between| {
        let apart = composed.list || composed.object;
        Some(if apart {
            Style::Joined {
                between,
                named: false,
            }
        } else {
            Style::Plain
        })
    };
    match (style.unwrap_or("form"), explode) {
        ("form", None | Some(true)) if composed.object => Some(Style::Members),
        ("form" | "spaceDelimited" | "pipeDelimited", Some(true)) | ("form", None) => {
            Some(Style::Plain)
        }
        ("form", Some(false)) => joined(","),
        ("spaceDelimited", _) => joined(" "),
        ("pipeDelimited", _) => joined("|"),
        ("deepObject", _) => Some(Style::Brackets),
        _ => None,
    }
}
