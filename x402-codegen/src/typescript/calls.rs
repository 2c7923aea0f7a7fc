//! The client, its methods, their arguments, and quotes.

use super::{Context, Names, docs};
use crate::escape::{ts_doc, ts_string};
use crate::model::{
    Body, Encoding, EndpointModel, Output, Param, ParamPlace, PathPart, Piece, Style,
};
use crate::names::{Scope, typescript_member};
use crate::out::{Out, line};
use crate::pages::Pages;
use crate::said;

/// The way to what a client leaves out.
const RAW: &str = r#"
  /**
   * A call that this file has no method for. `path` begins with a slash and includes the query. It is not paid: a request for
   * payment ends it.
   */
  async raw(
    method: string,
    path: string,
    body?: { readonly contentType: string; readonly bytes: Uint8Array<ArrayBuffer> },
    options?: CallOptions,
  ): Promise<Paid<Response>> {
    if (!path.startsWith("/")) throw new InvalidArgument("a path begins with a slash");
    const wire = new Wire();
    wire.path = path;
    if (body !== undefined) wire.bytesBody(body.contentType, body.bytes);
    const info: EndpointInfo = { id: method + " " + path, method, path, rails: [], maxTimeoutSeconds: 60, examples: [] };
    const { response, receipt } = await this.#core.call(info, wire, options);
    return { value: response, receipt };
  }
"#;

/// Writes arguments, requests on the wire, quotes and methods.
pub(super) fn write(out: &mut Out, context: &Context<'_>) {
    let all = || context.model.endpoints.iter().zip(&context.names);
    for (endpoint, names) in all() {
        request(out, context, endpoint, names);
        wire(out, endpoint, names);
    }
    out.line("/** What calls will cost. Computed here: nothing is sent. */");
    out.block("export const quotes = {", "};", |out| {
        for (endpoint, names) in all() {
            let (declared, passed) = argument(endpoint, names);
            line!(
                out,
                "{}: ({declared}): Quote => quoteOf({}, {}({passed})),",
                names.method,
                names.constant,
                names.wire
            );
        }
    });
    out.gap();
    out.line("/** Calls the service, and pays within a budget. */");
    out.block("export class Client {", "}", |out| {
        out.line("readonly #core: Core;");
        out.gap();
        out.block("constructor(options: ClientOptions) {", "}", |out| {
            out.line("this.#core = new Core(options);");
        });
        out.verbatim(RAW);
        for (endpoint, names) in all() {
            method(out, context, endpoint, names);
            pages(out, context, endpoint, names);
        }
    });
}

/// The argument of a method, declared and passed on.
fn argument(endpoint: &EndpointModel, names: &Names) -> (String, &'static str) {
    if endpoint.takes_nothing() {
        return (String::new(), "");
    }
    let needed = endpoint.params.iter().any(|param| param.field.required);
    let body = endpoint.body.as_ref().is_some_and(|body| body.required);
    let default = if needed || body { "" } else { " = {}" };
    (format!("request: {}{default}", names.request), "request")
}

/// The members of a request: parameters, then the body.
fn members(endpoint: &EndpointModel) -> Vec<(String, &Param)> {
    let mut scope = Scope::with(&["body"]);
    let all = endpoint.params.iter();
    let name = |param: &Param| typescript_member(&param.field.wire, "value");
    all.map(|param| (scope.unique(&name(param)), param))
        .collect()
}

fn body_type(context: &Context<'_>, body: &Body) -> String {
    match (&body.json, body.encoding) {
        (Some(ty), _) => context.ty(ty),
        (None, Encoding::Parts) => "Parts".to_owned(),
        (None, _) => "Uint8Array<ArrayBuffer>".to_owned(),
    }
}

fn request(out: &mut Out, context: &Context<'_>, endpoint: &EndpointModel, names: &Names) {
    if endpoint.takes_nothing() {
        return;
    }
    line!(out, "/** Arguments of `{}`. */", names.method);
    out.block(
        format!("export interface {} {{", names.request),
        "}",
        |out| {
            for (name, param) in members(endpoint) {
                docs(out, param.field.docs.as_deref().unwrap_or_default(), &[]);
                let (mark, more) = if param.field.required {
                    ("", "")
                } else {
                    ("?", " | undefined")
                };
                line!(out, "{name}{mark}: {}{more};", context.ty(&param.field.ty));
            }
            if let Some(body) = &endpoint.body {
                let (mark, more) = if body.required {
                    ("", "")
                } else {
                    ("?", " | undefined")
                };
                line!(out, "body{mark}: {}{more};", body_type(context, body));
            }
        },
    );
    out.gap();
}

fn wire(out: &mut Out, endpoint: &EndpointModel, names: &Names) {
    let members = members(endpoint);
    let declared = if endpoint.takes_nothing() {
        String::new()
    } else {
        format!("request: {}", names.request)
    };
    out.block(
        format!("function {}({declared}): Wire {{", names.wire),
        "}",
        |out| {
            out.line("const wire = new Wire();");
            let find = |wire: &str| {
                let mut all = members.iter();
                let found = all.find(|(_, p)| p.place == ParamPlace::Path && p.field.wire == wire);
                found.map_or("body", |(name, _)| name.as_str())
            };
            for part in &endpoint.path {
                match part {
                    PathPart::Fixed(text) => line!(out, "wire.fixed({});", ts_string(text)),
                    PathPart::Capture(name) => {
                        let mut all = members.iter();
                        let found =
                            all.find(|(_, p)| p.place == ParamPlace::Path && p.field.wire == *name);
                        let value = found.map_or_else(String::new, |(name, p)| styled(p, name));
                        line!(out, "wire.capture({}, {value}, false);", ts_string(name));
                    }
                    PathPart::Mixed(pieces) => mixed(out, pieces, &find),
                    PathPart::Rest(name) => {
                        line!(
                            out,
                            "wire.capture({}, request.{}, true);",
                            ts_string(name),
                            find(name)
                        );
                    }
                }
            }
            wire_more(out, endpoint, &members);
            out.line("return wire;");
        },
    );
    out.gap();
}

/// A segment of several pieces.
fn mixed<'m>(out: &mut Out, pieces: &[Piece], find: &impl Fn(&str) -> &'m str) {
    out.line("wire.path += \"/\";");
    for piece in pieces {
        match piece {
            Piece::Fixed(text) => line!(out, "wire.path += {};", ts_string(text)),
            Piece::Capture(name) => {
                line!(
                    out,
                    "piece(wire, {}, request.{});",
                    ts_string(name),
                    find(name)
                );
            }
        }
    }
}

/// The value of a parameter in its style.
fn styled(param: &Param, name: &str) -> String {
    let value = format!("request.{name}");
    let wire = ts_string(&param.field.wire);
    match param.style {
        Style::Plain => value,
        Style::Joined { between, named } => {
            format!("joined({value}, {}, {named})", ts_string(between))
        }
        Style::Members => format!("membersOf({wire}, {value})"),
        Style::Brackets => format!("flattened({wire}, {value})"),
        Style::Json => format!("JSON.stringify({value})"),
    }
}

/// The parts of a request behind its path.
fn wire_more(out: &mut Out, endpoint: &EndpointModel, members: &[(String, &Param)]) {
    for (name, value) in &endpoint.query {
        line!(
            out,
            "wire.parameter({}, {});",
            ts_string(name),
            ts_string(value)
        );
    }
    for (name, param) in members {
        let call = match param.place {
            ParamPlace::Path => continue,
            ParamPlace::Query => "parameter",
            ParamPlace::Header => "header",
        };
        let (wire, value) = (ts_string(&param.field.wire), styled(param, name));
        match param.style {
            Style::Members | Style::Brackets => line!(out, "pairs(wire, {value});"),
            _ => line!(out, "wire.{call}({wire}, {value});"),
        }
    }
    let Some(body) = &endpoint.body else { return };
    let kind = ts_string(&body.content_type);
    match body.encoding {
        Encoding::Json => out.line("wire.jsonBody(request.body);"),
        Encoding::Form => out.line("formBody(wire, request.body);"),
        Encoding::Parts => line!(out, "partsBody(wire, {kind}, request.body);"),
        Encoding::Bytes => line!(out, "wire.bytesBody({kind}, request.body);"),
    }
    if body.media_type().is_some() {
        line!(
            out,
            "if (wire.body !== undefined) wire.contentType = {kind};"
        );
    }
}

/// The type of an answer, and the way it is read.
fn answer(context: &Context<'_>, output: &Output) -> (String, String, &'static str) {
    match output {
        Output::Json(ty) => {
            let ty = context.ty(ty);
            (ty.clone(), format!("json<{ty}>"), "")
        }
        Output::Maybe(ty) => {
            let ty = context.ty(ty);
            (format!("{ty} | undefined"), "text".to_owned(), "")
        }
        Output::Text => ("string".to_owned(), "text".to_owned(), ""),
        Output::Bytes => ("Uint8Array".to_owned(), "bytes".to_owned(), ""),
        Output::Empty => ("undefined".to_owned(), "nothing".to_owned(), ""),
        Output::Stream { item, lines } => {
            let ty = context.ty(item);
            (
                format!("AsyncGenerator<{ty}>"),
                format!("stream<{ty}>"),
                if *lines { "true, " } else { "false, " },
            )
        }
    }
}

fn method_docs(out: &mut Out, context: &Context<'_>, endpoint: &EndpointModel) {
    let (text, mut more) = said::method(endpoint, context.model, "{@link SHARED_REFUSALS}", ts_doc);
    if let Some(why) = &endpoint.deprecated {
        more.extend(
            ts_doc(why)
                .into_iter()
                .map(|why| format!("@deprecated {why}")),
        );
    }
    docs(out, &text, &more);
}

fn method(out: &mut Out, context: &Context<'_>, endpoint: &EndpointModel, names: &Names) {
    out.gap();
    method_docs(out, context, endpoint);
    let (declared, passed) = argument(endpoint, names);
    let comma = if declared.is_empty() { "" } else { ", " };
    let (ty, read, more) = answer(context, &endpoint.output);
    let open = format!(
        "async {}({declared}{comma}options?: CallOptions): Promise<Paid<{ty}>> {{",
        names.method
    );
    out.block(open, "}", |out| {
        let call = format!(
            "{}, {}({passed}), {more}options",
            names.constant, names.wire
        );
        match &endpoint.output {
            Output::Maybe(ty) => line!(
                out,
                "return maybe<{}>(await this.#core.text({call}));",
                context.ty(ty)
            ),
            _ => line!(out, "return this.#core.{read}({call});"),
        }
    });
}

fn pages(out: &mut Out, context: &Context<'_>, endpoint: &EndpointModel, names: &Names) {
    let members = members(endpoint);
    let Some(pages) = Pages::of(context.model, endpoint, &members) else {
        return;
    };
    let (cursor, ty) = (pages.cursor, context.ty(pages.page));
    let (request, method) = (&names.request, &names.method);
    out.gap();
    line!(
        out,
        "/** All pages of `{method}`, one after another, for at most `cap` together. */"
    );
    let open = format!(
        "{}(request: {request}, cap: string, options?: CallOptions): AsyncGenerator<Paid<{ty}>> {{",
        names.pages
    );
    out.block(open, "}", |out| {
        out.block("return this.#core.pages(", ");", |out| {
            out.line("request,");
            out.line("cap,");
            line!(
                out,
                "(request: {request}) => ({{ quote: quotes.{method}(request), send: () => this.{method}(request, options) }}),"
            );
            line!(out, "(request, next) => ({{ ...request, {cursor}: next }}),");
            line!(
                out,
                "{{ pointer: {}, type: \"{}\", promised: {} }},",
                ts_string(pages.next),
                pages.kind(),
                pages.promised
            );
        });
    });
}
