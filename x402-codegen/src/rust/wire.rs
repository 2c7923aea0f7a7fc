//! Requests on the wire: path, query, headers and body of a call.

use crate::escape::rust_string;
use crate::model::{Body, Encoding, EndpointModel, Param, ParamPlace, PathPart, Piece, Style};
use crate::out::{Out, line};

/// A request with a body, and whether that can fail.
pub(super) fn with_body(wire: &str, body: &Body) -> (String, bool) {
    let kind = rust_string(&body.content_type);
    match (body.encoding, body.media_type()) {
        (Encoding::Json, None) => (format!("{wire}.json(body)"), true),
        (Encoding::Json, Some(_)) => (
            format!("{wire}.json(body).map(|wire| wire.media_type({kind}))"),
            true,
        ),
        (Encoding::Form, _) => (format!("{wire}.form(body)"), true),
        (Encoding::Parts, _) => (format!("{wire}.parts({kind}, body)"), false),
        (Encoding::Bytes, _) => (format!("{wire}.bytes({kind}, body)"), false),
    }
}

/// A request of fixed parts only.
pub(super) fn fixed_wire(endpoint: &EndpointModel) -> String {
    let mut wire = "Wire::default()".to_owned();
    for part in &endpoint.path {
        if let PathPart::Fixed(text) = part {
            wire.push_str(&format!(".fixed({})", rust_string(text)));
        }
    }
    wire.push_str(&fixed_query(endpoint));
    wire
}

/// What every call has in its query, as a call of a method.
fn fixed_query(endpoint: &EndpointModel) -> String {
    let pairs = endpoint.query.iter().map(|(name, value)| {
        let (name, value) = (rust_string(name), rust_string(value));
        format!("({name}.to_owned(), {value}.to_owned())")
    });
    let pairs: Vec<String> = pairs.collect();
    if pairs.is_empty() {
        return String::new();
    }
    format!(".pairs(&[{}])", pairs.join(", "))
}

/// Writes the body of the function that makes a request of its arguments.
pub(super) fn wire(out: &mut Out, endpoint: &EndpointModel, members: &[(String, &Param)]) {
    out.line("let wire = Wire::default();");
    let find = |place: ParamPlace, wire: &str| {
        let found = members
            .iter()
            .find(|(_, p)| p.place == place && p.field.wire == wire);
        found.map_or("body", |(name, _)| name.as_str())
    };
    for part in &endpoint.path {
        match part {
            PathPart::Fixed(text) => line!(out, "let wire = wire.fixed({});", rust_string(text)),
            PathPart::Capture(wire) => {
                let found = members
                    .iter()
                    .find(|(_, p)| p.place == ParamPlace::Path && p.field.wire == *wire);
                let wire = rust_string(wire);
                let value =
                    found.map_or_else(String::new, |(name, param)| styled(param, &wire, name));
                line!(out, "let wire = wire.capture({wire}, {value})?;");
            }
            PathPart::Rest(wire) => line!(
                out,
                "let wire = wire.rest({}, &self.{})?;",
                rust_string(wire),
                find(ParamPlace::Path, wire)
            ),
            PathPart::Mixed(pieces) => mixed(out, pieces, &|wire| find(ParamPlace::Path, wire)),
        }
    }
    if !endpoint.query.is_empty() {
        line!(out, "let wire = wire{};", fixed_query(endpoint));
    }
    for (name, param) in members {
        parameter(out, name, param);
    }
    if let Some(body) = &endpoint.body {
        let send = match with_body("wire", body) {
            (send, true) => format!("{send}?"),
            (send, false) => send,
        };
        if body.required {
            out.line("let body = &self.body;");
            line!(out, "let wire = {send};");
        } else {
            line!(
                out,
                "let wire = match &self.body {{ Some(body) => {send}, None => wire }};"
            );
        }
    }
    out.line("Ok(wire)");
}

/// A segment of several pieces.
fn mixed<'m>(out: &mut Out, pieces: &[Piece], find: &impl Fn(&str) -> &'m str) {
    out.line("let wire = wire.fixed(\"\");");
    for piece in pieces {
        match piece {
            Piece::Fixed(text) => line!(out, "let wire = wire.text({});", rust_string(text)),
            Piece::Capture(wire) => {
                let name = find(wire);
                let wire = rust_string(wire);
                line!(out, "let wire = wire.piece({wire}, &self.{name})?;");
            }
        }
    }
}

/// One parameter of the query or a header.
fn parameter(out: &mut Out, name: &str, param: &Param) {
    let call = match param.place {
        ParamPlace::Path => return,
        ParamPlace::Query => "query",
        ParamPlace::Header => "header",
    };
    let wire = rust_string(&param.field.wire);
    let value = styled(param, &wire, name);
    match param.style {
        Style::Members | Style::Brackets => line!(out, "let wire = wire.pairs({value});"),
        _ => line!(out, "let wire = wire.{call}({wire}, {value})?;"),
    }
}

/// The value of a parameter in its style.
fn styled(param: &Param, wire: &str, name: &str) -> String {
    let value = format!("&self.{name}");
    match param.style {
        Style::Plain => value,
        Style::Joined { between, named } => {
            let between = rust_string(between);
            format!("&joined({wire}, {value}, {between}, {named})?")
        }
        Style::Members => format!("&members({wire}, {value})?"),
        Style::Brackets => format!("&bracketed({wire}, {value})?"),
        Style::Json => format!("&json_text({wire}, {value})?"),
    }
}
