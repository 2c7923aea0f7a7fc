//! Methods, their arguments, and refusals by name.

use super::wire::{fixed_wire, wire, with_body};
use super::{Context, Names, docs};
use crate::escape::{one_line, rust_doc, rust_string};
use crate::model::{Encoding, EndpointModel, Field, Output, Param, TypeRef};
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
    let (argument, _) = argument(context, endpoint, names);
    let fixed = fixed_wire(endpoint);
    let wire = match (takes(endpoint), &endpoint.body) {
        (Takes::Request, _) => "request.wire()".to_owned(),
        (Takes::Body, Some(body)) => match with_body(&fixed, body) {
            (sent, true) => sent,
            (sent, false) => format!("Ok({sent})"),
        },
        (Takes::Nothing | Takes::Body, _) => format!("Ok({fixed})"),
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

/// The argument of a method behind `&self`, and what is passed on.
pub(super) fn argument(
    context: &Context<'_>,
    endpoint: &EndpointModel,
    names: &Names,
) -> (String, &'static str) {
    match takes(endpoint) {
        Takes::Nothing => (String::new(), ""),
        Takes::Request => (format!(", request: &{}", names.request), "request"),
        Takes::Body => {
            let body = endpoint.body.as_ref();
            let ty = match body.map(|body| (&body.json, body.encoding)) {
                Some((Some(ty), _)) => borrowed(context, ty),
                Some((None, Encoding::Parts)) => "Parts".to_owned(),
                _ => "[u8]".to_owned(),
            };
            (format!(", body: &{ty}"), "body")
        }
    }
}

fn borrowed(context: &Context<'_>, ty: &TypeRef) -> String {
    match ty {
        TypeRef::Text | TypeRef::Const(_) => "str".to_owned(),
        TypeRef::Array(inner) => format!("[{}]", context.ty(inner)),
        ty => context.ty(ty),
    }
}

pub(super) fn answer(context: &Context<'_>, output: &Output) -> (String, &'static str) {
    match output {
        Output::Json(ty) => (context.ty(ty), "decode_json"),
        Output::Maybe(ty) => (format!("Option<{}>", context.ty(ty)), "decode_maybe"),
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
    let (shared, reference) = (&context.model.shared_errors, "[`SHARED_REFUSALS`]");
    if let Some(said) = endpoint.said_refusals(shared, reference, rust_doc) {
        out.line("///");
        line!(out, "/// {said}");
    }
}

/// The members of a request struct: parameters, then the body.
pub(super) fn members(endpoint: &EndpointModel) -> Vec<(String, &Param)> {
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
        let ty = match (&body.json, body.encoding) {
            (Some(ty), _) => context.ty(ty),
            (None, Encoding::Parts) => "Parts".to_owned(),
            (None, _) => "Vec<u8>".to_owned(),
        };
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
