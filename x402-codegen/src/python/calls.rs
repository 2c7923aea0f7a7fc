//! The clients, sync and async, their methods, and quotes.

use super::wire::wire;
use super::{Context, Names, docs};
use crate::escape::{py_doc, py_string};
use crate::model::{Encoding, EndpointModel, Output, Param};
use crate::names::{Scope, python_value};
use crate::out::{Out, line};
use crate::pages::Pages;
use crate::said;

/// The beginning of a client class.
const CLIENT: &str = r#"

class Client:
    """Calls the service, and pays within a budget.

    `approve(endpoint, amount, left)` is asked before a payment that takes more than `soft_stop` of the budget.
    """

    def __init__(
        self,
        payer: Payer,
        budget: Budget,
        *,
        base: str = BASE,
        transport: Optional[httpx.BaseTransport] = None,
        approve: Optional[Callable[[str, str, str], bool]] = None,
        soft_stop: str = "0.8",
        attempt_seconds: float = 60.0,
        presentations: int = 4,
        max_answer_bytes: int = 16 * 1024 * 1024,
    ) -> None:
        http = httpx.Client(transport=transport)
        self._core = _SyncCore(http, payer, budget, base, approve, soft_stop, attempt_seconds, presentations, max_answer_bytes)

    def close(self) -> None:
        """Closes the connections."""
        self._core.client.close()

    def raw(
        self,
        method: str,
        path: str,
        *,
        content: Optional[bytes] = None,
        content_type: str = "application/json",
        options: Optional[CallOptions] = None,
    ) -> Paid[httpx.Response]:
        """A call that this file has no method for. `path` begins with a slash and includes the query.

        It is not paid: a request for payment ends it.
        """
        response, receipt = self._core.call(_raw_info(method, path), _raw_wire(path, content, content_type), options)
        return Paid(response, receipt)
"#;

/// What both clients make of a call that they have no method for.
const RAW: &str = r#"

def _raw_info(method: str, path: str) -> EndpointInfo:
    return EndpointInfo(
        id=f"{method} {path}", method=method, path=path, cost=None, rule=None, rails=(), max_timeout_seconds=60, examples=()
    )


def _raw_wire(path: str, content: Optional[bytes], content_type: str) -> _Wire:
    if not path.startswith("/"):
        raise InvalidArgument("a path begins with a slash")
    wire = _Wire()
    wire.path = path
    if content is not None:
        wire.bytes_body(content_type, content)
    return wire
"#;

/// Writes requests on the wire, quotes, and the two clients.
pub(super) fn write(out: &mut Out, context: &Context<'_>) {
    let all = || context.model.endpoints.iter().zip(&context.names);
    for (endpoint, names) in all() {
        wire(out, context, endpoint, names);
    }
    out.gap();
    out.block("class Quotes:", "", |out| {
        out.line("\"\"\"What calls will cost. Computed here: nothing is sent.\"\"\"");
        for (endpoint, names) in all() {
            out.gap();
            let arguments = Arguments::of(context, endpoint);
            out.line("@staticmethod");
            out.block(
                format!(
                    "def {}({}) -> Quote:",
                    names.method,
                    arguments.declared(None)
                ),
                "",
                |out| {
                    line!(out, "\"\"\"What `{}` will cost.\"\"\"", names.method);
                    line!(
                        out,
                        "return _quote({}, _wire_{}({}))",
                        names.constant,
                        names.method,
                        arguments.passed()
                    );
                },
            );
        }
        if context.model.endpoints.is_empty() {
            out.line("pass");
        }
    });
    out.verbatim(&format!("{RAW}{CLIENT}"));
    out.indented(|out| {
        for (endpoint, names) in all() {
            method(out, context, endpoint, names, false);
            pages(out, context, endpoint, names, false);
        }
    });
    let client = CLIENT
        .replace("class Client:", "class AsyncClient:")
        .replace("httpx.BaseTransport", "httpx.AsyncBaseTransport")
        .replace("httpx.Client(", "httpx.AsyncClient(")
        .replace("_SyncCore", "_AsyncCore")
        .replace("def close", "async def aclose")
        .replace("def raw", "async def raw")
        .replace("self._core.call(", "await self._core.call(")
        .replace(
            "self._core.client.close()",
            "await self._core.client.aclose()",
        );
    out.verbatim(&client);
    out.indented(|out| {
        for (endpoint, names) in all() {
            method(out, context, endpoint, names, true);
            pages(out, context, endpoint, names, true);
        }
    });
}

/// One argument of a method.
struct Argument {
    name: String,
    ty: String,
    required: bool,
}

/// The arguments of a method: parameters, then the body.
pub(super) struct Arguments(Vec<Argument>);

/// The names of parameters, in their order.
pub(super) fn parameters(endpoint: &EndpointModel) -> Vec<(String, &Param)> {
    let mut scope = Scope::with(&["body", "options", "self", "cap", "wire"]);
    let all = endpoint.params.iter();
    all.map(|param| {
        (
            scope.unique(&python_value(&param.field.wire, "value")),
            param,
        )
    })
    .collect()
}

impl Arguments {
    pub(super) fn of(context: &Context<'_>, endpoint: &EndpointModel) -> Self {
        let parameters = parameters(endpoint);
        let mut all: Vec<Argument> = parameters
            .into_iter()
            .map(|(name, param)| Argument {
                name,
                ty: context.ty(&param.field.ty),
                required: param.field.required,
            })
            .collect();
        if let Some(body) = &endpoint.body {
            all.push(Argument {
                name: "body".to_owned(),
                ty: match (&body.json, body.encoding) {
                    (Some(ty), _) => context.ty(ty),
                    (None, Encoding::Parts) => "Parts".to_owned(),
                    (None, _) => "bytes".to_owned(),
                },
                required: body.required,
            });
        }
        Self(all)
    }

    pub(super) fn declared(&self, more: Option<&str>) -> String {
        let mut all: Vec<String> = self
            .0
            .iter()
            .map(|argument| {
                let (name, ty) = (&argument.name, &argument.ty);
                if argument.required {
                    format!("{name}: {ty}")
                } else {
                    format!("{name}: Optional[{ty}] = None")
                }
            })
            .collect();
        all.extend(more.map(str::to_owned));
        if all.is_empty() {
            String::new()
        } else {
            format!("*, {}", all.join(", "))
        }
    }

    fn passed(&self) -> String {
        let all: Vec<String> = self
            .0
            .iter()
            .map(|argument| format!("{0}={0}", argument.name))
            .collect();
        all.join(", ")
    }
}

/// The type of an answer, the way it is read, and what that needs to know.
fn answer(
    context: &Context<'_>,
    output: &Output,
    is_async: bool,
) -> (String, &'static str, String) {
    match output {
        Output::Json(ty) => {
            let ty = context.ty(ty);
            (ty.clone(), "raw_json", format!(", {ty}"))
        }
        Output::Maybe(ty) => {
            let ty = context.ty(ty);
            (format!("Optional[{ty}]"), "raw_text", String::new())
        }
        Output::Text => ("str".to_owned(), "raw_text", String::new()),
        Output::Bytes => ("bytes".to_owned(), "raw_bytes", String::new()),
        Output::Empty => ("None".to_owned(), "raw_nothing", String::new()),
        Output::Stream { item, lines } => {
            let ty = context.ty(item);
            let iterator = if is_async {
                "AsyncIterator"
            } else {
                "Iterator"
            };
            let lines = if *lines { "True" } else { "False" };
            (
                format!("{iterator}[{ty}]"),
                "raw_stream",
                format!(", {ty}, {lines}"),
            )
        }
    }
}

fn method(
    out: &mut Out,
    context: &Context<'_>,
    endpoint: &EndpointModel,
    names: &Names,
    is_async: bool,
) {
    let arguments = Arguments::of(context, endpoint);
    let (ty, read, more) = answer(context, &endpoint.output, is_async);
    let (prefix, wait) = if is_async {
        ("async ", "await ")
    } else {
        ("", "")
    };
    out.gap();
    if let Some(why) = &endpoint.deprecated {
        line!(out, "@deprecated({})", py_string(why));
    }
    let declared = arguments.declared(Some("options: Optional[CallOptions] = None"));
    let open = format!(
        "{prefix}def {}(self, {declared}) -> Paid[{ty}]:",
        names.method
    );
    out.block(open, "", |out| {
        method_docs(out, context, endpoint);
        let call = format!(
            "{wait}self._core.{read}({}, _wire_{}({}), options{more})",
            names.constant,
            names.method,
            arguments.passed()
        );
        match &endpoint.output {
            Output::Maybe(ty) => line!(out, "return _maybe({call}, {})", context.ty(ty)),
            _ => line!(out, "return {call}"),
        }
    });
}

fn method_docs(out: &mut Out, context: &Context<'_>, endpoint: &EndpointModel) {
    let (text, more) = said::method(endpoint, context.model, "`SHARED_REFUSALS`", py_doc);
    docs(out, &text, &more);
}

fn pages(
    out: &mut Out,
    context: &Context<'_>,
    endpoint: &EndpointModel,
    names: &Names,
    is_async: bool,
) {
    let parameters = parameters(endpoint);
    let Some(pages) = Pages::of(context.model, endpoint, &parameters) else {
        return;
    };
    let arguments = Arguments::of(context, endpoint);
    let (method, constant) = (&names.method, &names.constant);
    let (cursor, ty) = (pages.cursor, context.ty(pages.page));
    let (prefix, wait, iterator) = if is_async {
        ("async ", "await ", "AsyncIterator")
    } else {
        ("", "", "Iterator")
    };
    let declared = arguments.declared(Some("cap: str, options: Optional[CallOptions] = None"));
    // Arguments without a default come first only by name, so the cap may follow the others.
    out.gap();
    let open = format!(
        "{prefix}def {}(self, {declared}) -> {iterator}[Paid[{ty}]]:",
        names.pages
    );
    out.block(open, "", |out| {
        line!(
            out,
            "\"\"\"All pages of `{method}`, one after another, for at most `cap` together.\"\"\""
        );
        // A parameter may have any name that does not begin with `_`.
        out.line("_spent = Fraction(0)");
        out.line("while True:");
        out.indented(|out| {
            line!(out, "wire = _wire_{method}({})", arguments.passed());
            line!(out, "_page_cap(_spent, _quote({constant}, wire), cap)");
            line!(
                out,
                "_response, _receipt = {wait}self._core.call({constant}, wire, options)"
            );
            out.line("_spent += _page_cost(_receipt)");
            line!(
                out,
                "yield Paid(_decoded(_response.content, {ty}, _receipt), _receipt)"
            );
            let promised = if pages.promised { "True" } else { "False" };
            line!(
                out,
                "_next = _next_page(_response.content, {}, {}, {promised}, _receipt)",
                py_string(pages.next),
                context.ty(pages.ty)
            );
            out.line("if _next is None:");
            out.indented(|out| out.line("return"));
            line!(out, "{cursor} = _next");
        });
    });
}
