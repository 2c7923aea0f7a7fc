//! Methods, their arguments, and refusals by name.

use super::{Context, Names, docs};
use crate::escape::{one_line, rust_string};
use crate::model::{EndpointModel, Field, Output, Param, ParamPlace, PathPart, TypeRef};
use crate::names::{Scope, rust_value};
use crate::out::{Out, line};
use crate::pages::Pages;

/// What a method takes.
enum Takes {
    Nothing,
    /// The body itself.
    Body,
    /// A struct of everything.
    Request,
}

const fn takes(endpoint: &EndpointModel) -> Takes {
    match (&endpoint.body, endpoint.params.is_empty()) {
        (None, true) => Takes::Nothing,
        (Some(body), true) if body.required => Takes::Body,
        _ => Takes::Request,
    }
}

/// Writes the methods and the types of their arguments.
pub(super) fn write(out: &mut Out, context: &Context<'_>) {
    out.block("impl Client {", "}", |out| {
        for (endpoint, names) in context.model.endpoints.iter().zip(&context.names) {
            method(out, context, endpoint, names);
            pages(out, context, endpoint, names);
        }
    });
    out.gap();
    for (endpoint, names) in context.model.endpoints.iter().zip(&context.names) {
        if matches!(takes(endpoint), Takes::Request) {
            request(out, context, endpoint, names);
        }
    }
}

fn method(out: &mut Out, context: &Context<'_>, endpoint: &EndpointModel, names: &Names) {
    out.gap();
    method_docs(out, context, endpoint);
    if let Some(why) = &endpoint.deprecated {
        line!(out, "#[deprecated(note = {})]", rust_string(why));
    }
    let (argument, wire) = match takes(endpoint) {
        Takes::Nothing => (String::new(), fixed_wire(endpoint)),
        Takes::Body => {
            let body = endpoint.body.as_ref();
            let json = body.and_then(|body| body.json.as_ref());
            let kind = body
                .map(|body| rust_string(&body.content_type))
                .unwrap_or_default();
            let wire = fixed_wire(endpoint);
            match json {
                Some(ty) => (
                    format!(", body: &{}", borrowed(context, ty)),
                    format!("{wire}.json(body)"),
                ),
                None => (
                    ", body: &[u8]".to_owned(),
                    format!("Ok({wire}.bytes({kind}, body))"),
                ),
            }
        }
        Takes::Request => (
            format!(", request: &{}", names.request),
            "request.wire()".to_owned(),
        ),
    };
    let wire = if matches!(takes(endpoint), Takes::Nothing) {
        format!("Ok({wire})")
    } else {
        wire
    };
    let (ty, decode) = answer(context, &endpoint.output);
    let open = format!(
        "pub fn {}(&self{argument}) -> Call<'_, {ty}> {{",
        names.method
    );
    out.block(open, "}", |out| {
        let lines = match endpoint.output {
            Output::Stream { lines: true, .. } => ".lines()",
            _ => "",
        };
        line!(
            out,
            "Call::new(self, &{}, {wire}, {decode}){lines}",
            names.constant
        );
    });
}

fn borrowed(context: &Context<'_>, ty: &TypeRef) -> String {
    match ty {
        TypeRef::Text | TypeRef::Const(_) => "str".to_owned(),
        TypeRef::Array(inner) => format!("[{}]", context.ty(inner)),
        ty => context.ty(ty),
    }
}

fn answer(context: &Context<'_>, output: &Output) -> (String, &'static str) {
    match output {
        Output::Json(ty) => (context.ty(ty), "decode_json"),
        Output::Text => ("String".to_owned(), "decode_text"),
        Output::Bytes => ("Vec<u8>".to_owned(), "decode_bytes"),
        Output::Empty => ("()".to_owned(), "decode_nothing"),
        Output::Stream { item, lines } => {
            let decode = if *lines {
                "decode_lines"
            } else {
                "decode_events"
            };
            (format!("Events<{}>", context.ty(item)), decode)
        }
    }
}

fn method_docs(out: &mut Out, context: &Context<'_>, endpoint: &EndpointModel) {
    docs(out, &endpoint.summary);
    line!(out, "///");
    if let Some(description) = &endpoint.description {
        docs(out, description);
        line!(out, "///");
    }
    line!(
        out,
        "/// `{} {}`",
        endpoint.method,
        one_line(&endpoint.path_text()).replace('`', "")
    );
    line!(out, "///");
    docs(out, endpoint.said_price());
    for note in &endpoint.notes {
        docs(out, note);
    }
    if let Some(said) = endpoint.said_example(&context.model.currency) {
        docs(out, &said);
    }
    if matches!(endpoint.output, Output::Stream { .. }) {
        out.line("///");
        out.line("/// [`Call::stream`] gives the events as they come, [`Call::send`] once the stream has ended.");
    }
    if let Some(said) = endpoint.said_refusals() {
        out.line("///");
        docs(out, &said);
    }
}

/// A request of fixed parts only.
fn fixed_wire(endpoint: &EndpointModel) -> String {
    let mut wire = "Wire::default()".to_owned();
    for part in &endpoint.path {
        if let PathPart::Fixed(text) = part {
            wire.push_str(&format!(".fixed({})", rust_string(text)));
        }
    }
    wire
}

/// The members of a request struct: parameters, then the body.
fn members(endpoint: &EndpointModel) -> Vec<(String, &Param)> {
    let mut scope = Scope::with(&["body"]);
    let all = endpoint.params.iter();
    all.map(|param| (scope.unique(&rust_value(&param.field.wire, "value")), param))
        .collect()
}

fn optional(context: &Context<'_>, field: &Field) -> String {
    let ty = context.ty(&field.ty);
    if field.required {
        ty
    } else {
        format!("Option<{ty}>")
    }
}

fn request(out: &mut Out, context: &Context<'_>, endpoint: &EndpointModel, names: &Names) {
    let members = members(endpoint);
    let body = endpoint.body.as_ref().map(|body| {
        let ty = body
            .json
            .as_ref()
            .map_or_else(|| "Vec<u8>".to_owned(), |ty| context.ty(ty));
        (
            body,
            if body.required {
                ty
            } else {
                format!("Option<{ty}>")
            },
        )
    });
    line!(out, "/// Arguments of [`Client::{}`].", names.method);
    out.line("#[derive(Clone, Debug, PartialEq)]");
    out.block(format!("pub struct {} {{", names.request), "}", |out| {
        for (name, param) in &members {
            match &param.field.docs {
                Some(text) => docs(out, text),
                None => docs(
                    out,
                    &format!("{} of the {}.", param.field.wire, param.place.as_str()),
                ),
            }
            line!(out, "pub {name}: {},", optional(context, &param.field));
        }
        if let Some((_, ty)) = &body {
            out.line("/// The body.");
            line!(out, "pub body: {ty},");
        }
    });
    out.gap();
    let body = body.as_ref().map(|(body, ty)| (body.required, ty.as_str()));
    request_methods(out, context, endpoint, &names.request, body);
}

/// `new`, and the request on the wire.
fn request_methods(
    out: &mut Out,
    context: &Context<'_>,
    endpoint: &EndpointModel,
    name: &str,
    body: Option<(bool, &str)>,
) {
    let members = members(endpoint);
    let mut arguments: Vec<String> = members
        .iter()
        .filter(|(_, param)| param.field.required)
        .map(|(name, param)| format!("{name}: {}", context.ty(&param.field.ty)))
        .collect();
    if let Some((true, ty)) = body {
        arguments.push(format!("body: {ty}"));
    }
    out.block(format!("impl {name} {{"), "}", |out| {
        out.line("/// Arguments with what must be there.");
        out.line("#[must_use]");
        out.block(
            format!("pub fn new({}) -> Self {{", arguments.join(", ")),
            "}",
            |out| {
                let mut parts: Vec<String> = members
                    .iter()
                    .map(|(name, param)| {
                        if param.field.required {
                            name.clone()
                        } else {
                            format!("{name}: None")
                        }
                    })
                    .collect();
                if let Some((required, _)) = body {
                    parts.push(if required {
                        "body".to_owned()
                    } else {
                        "body: None".to_owned()
                    });
                }
                line!(out, "Self {{ {} }}", parts.join(", "));
            },
        );
        out.gap();
        out.block("fn wire(&self) -> Result<Wire, Error> {", "}", |out| {
            wire(out, endpoint, &members);
        });
    });
    out.gap();
}

fn wire(out: &mut Out, endpoint: &EndpointModel, members: &[(String, &Param)]) {
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
            PathPart::Capture(wire) => line!(
                out,
                "let wire = wire.capture({}, &self.{})?;",
                rust_string(wire),
                find(ParamPlace::Path, wire)
            ),
            PathPart::Rest(wire) => line!(
                out,
                "let wire = wire.rest({}, &self.{})?;",
                rust_string(wire),
                find(ParamPlace::Path, wire)
            ),
        }
    }
    for (name, param) in members {
        let call = match param.place {
            ParamPlace::Path => continue,
            ParamPlace::Query => "query",
            ParamPlace::Header => "header",
        };
        line!(
            out,
            "let wire = wire.{call}({}, &self.{name})?;",
            rust_string(&param.field.wire)
        );
    }
    if let Some(body) = &endpoint.body {
        let send = match &body.json {
            Some(_) => "wire.json(body)?".to_owned(),
            None => format!("wire.bytes({}, body)", rust_string(&body.content_type)),
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

fn pages(out: &mut Out, context: &Context<'_>, endpoint: &EndpointModel, names: &Names) {
    let members = members(endpoint);
    let Some(pages) = Pages::of(context.model, endpoint, &members) else {
        return;
    };
    let (request, ty) = (&names.request, context.ty(pages.page));
    out.gap();
    line!(
        out,
        "/// All pages of [`Client::{}`], one after another, for at most `cap` (such as `0.10 USD`) together.",
        names.method
    );
    out.line("///");
    out.line("/// # Errors");
    out.line("/// [`Error::Argument`] if the cap is no amount.");
    let open = format!(
        "pub fn {}(&self, request: {request}, cap: &str) -> Result<Pages<'_, {request}, {ty}>, Error> {{",
        names.pages
    );
    out.block(open, "}", |out| {
        out.block("Pages::new(", ")", |out| {
            out.line("self,");
            out.line("request,");
            line!(out, "|client, request| client.{}(request),", names.method);
            line!(
                out,
                "|request, next| serde_json::from_value(next).map(|next| request.{} = next),",
                pages.cursor
            );
            line!(
                out,
                "Following {{ pointer: {}, promised: {} }},",
                rust_string(pages.next),
                pages.promised
            );
            out.line("cap,");
        });
    });
}
