//! Requests on the wire: path, query, headers and body of a call.

use super::calls::{Arguments, parameters};
use super::{Context, Names};
use crate::escape::py_string;
use crate::model::{Body, Encoding, EndpointModel, Param, ParamPlace, PathPart, Piece, Style};
use crate::out::{Out, line};

/// Writes the function that makes a request of its arguments.
pub(super) fn wire(out: &mut Out, context: &Context<'_>, endpoint: &EndpointModel, names: &Names) {
    let parameters = parameters(endpoint);
    let arguments = Arguments::of(context, endpoint);
    out.gap();
    let open = format!(
        "def _wire_{}({}) -> _Wire:",
        names.method,
        arguments.declared(None)
    );
    out.block(open, "", |out| {
        out.line("wire = _Wire()");
        let find = |wire: &str| {
            let mut all = parameters.iter();
            let found = all.find(|(_, p)| p.place == ParamPlace::Path && p.field.wire == wire);
            found.map_or("body", |(name, _)| name.as_str())
        };
        for part in &endpoint.path {
            match part {
                PathPart::Fixed(text) => line!(out, "wire.fixed({})", py_string(text)),
                PathPart::Capture(name) => {
                    let mut all = parameters.iter();
                    let found =
                        all.find(|(_, p)| p.place == ParamPlace::Path && p.field.wire == *name);
                    let value = found.map_or_else(String::new, |(name, p)| styled(p, name));
                    line!(out, "wire.capture({}, {value}, False)", py_string(name));
                }
                PathPart::Mixed(pieces) => mixed(out, pieces, &find),
                PathPart::Rest(name) => line!(
                    out,
                    "wire.capture({}, {}, True)",
                    py_string(name),
                    find(name)
                ),
            }
        }
        for (name, value) in &endpoint.query {
            line!(
                out,
                "wire.parameter({}, {})",
                py_string(name),
                py_string(value)
            );
        }
        for (name, param) in &parameters {
            parameter(out, name, param);
        }
        if let Some(body) = &endpoint.body {
            send_body(out, context, body);
        }
        out.line("return wire");
    });
}

/// A segment of several pieces.
fn mixed<'m>(out: &mut Out, pieces: &[Piece], find: &impl Fn(&str) -> &'m str) {
    out.line("wire.path += \"/\"");
    for piece in pieces {
        match piece {
            Piece::Fixed(text) => line!(out, "wire.path += {}", py_string(text)),
            Piece::Capture(name) => {
                line!(out, "_piece(wire, {}, {})", py_string(name), find(name));
            }
        }
    }
}

/// One parameter of the query or a header.
fn parameter(out: &mut Out, name: &str, param: &Param) {
    let call = match param.place {
        ParamPlace::Path => return,
        ParamPlace::Query => "parameter",
        ParamPlace::Header => "header",
    };
    let (wire, value) = (py_string(&param.field.wire), styled(param, name));
    match param.style {
        Style::Members | Style::Brackets => line!(out, "_pairs(wire, {value})"),
        _ => line!(out, "wire.{call}({wire}, {value})"),
    }
}

/// The value of a parameter in its style.
fn styled(param: &Param, name: &str) -> String {
    let wire = py_string(&param.field.wire);
    match param.style {
        Style::Plain => name.to_owned(),
        Style::Joined { between, named } => {
            let named = if named { "True" } else { "False" };
            format!("_joined({name}, {}, {named})", py_string(between))
        }
        Style::Members => format!("_members({wire}, {name})"),
        Style::Brackets => format!("_bracketed({wire}, {name})"),
        Style::Json => format!("_json_text({name})"),
    }
}

fn send_body(out: &mut Out, context: &Context<'_>, body: &Body) {
    let kind = py_string(&body.content_type);
    let ty = body
        .json
        .as_ref()
        .map_or_else(|| "Any".to_owned(), |ty| context.ty(ty));
    let send = match body.encoding {
        Encoding::Json => format!("wire.json_body(body, {ty})"),
        Encoding::Form => format!("_form_body(wire, body, {ty})"),
        Encoding::Parts => format!("_parts_body(wire, {kind}, body)"),
        Encoding::Bytes => format!("wire.bytes_body({kind}, body)"),
    };
    let write = |out: &mut Out| {
        out.line(send);
        if body.media_type().is_some() {
            line!(out, "wire.content_type = {kind}");
        }
    };
    if body.required {
        write(out);
    } else {
        out.line("if body is not None:");
        out.indented(write);
    }
}
