//! The same calls for programs without an async runtime.

use super::calls::{answer, argument};
use super::{Context, Names};
use crate::escape::rust_string;
use crate::model::{EndpointModel, Output};
use crate::out::{Out, line};
use crate::pages::Pages;

/// All but the methods of the client.
const BLOCKING: &str = include_str!("blocking.txt");

/// Writes the module.
pub(super) fn write(out: &mut Out, context: &Context<'_>) {
    out.verbatim(BLOCKING);
    out.indented(|out| {
        out.block("impl Client {", "}", |out| {
            for (endpoint, names) in context.model.endpoints.iter().zip(&context.names) {
                method(out, context, endpoint, names);
                pages(out, context, endpoint, names);
            }
        });
    });
    out.line("}");
}

fn method(out: &mut Out, context: &Context<'_>, endpoint: &EndpointModel, names: &Names) {
    let name = &names.method;
    let (declared, passed) = argument(context, endpoint, names);
    let (mut ty, _) = answer(context, &endpoint.output);
    if matches!(endpoint.output, Output::Stream { .. }) {
        // The module has events of its own, which are what waiting makes of these.
        ty.insert_str(0, "super::");
    }
    out.gap();
    line!(out, "/// As [`super::Client::{name}`].");
    if let Some(why) = &endpoint.deprecated {
        line!(out, "#[deprecated(note = {})]", rust_string(why));
    }
    let open = format!("pub fn {name}(&self{declared}) -> Call<'_, {ty}> {{");
    out.block(open, "}", |out| {
        line!(
            out,
            "Call {{ inner: self.inner.{name}({passed}), runtime: &self.runtime }}"
        );
    });
}

fn pages(out: &mut Out, context: &Context<'_>, endpoint: &EndpointModel, names: &Names) {
    let members = super::calls::members(endpoint);
    let Some(pages) = Pages::of(context.model, endpoint, &members) else {
        return;
    };
    let (name, request, ty) = (&names.pages, &names.request, context.ty(pages.page));
    out.gap();
    line!(out, "/// As [`super::Client::{name}`].");
    out.line("///");
    out.line("/// # Errors");
    out.line("/// [`Error::Argument`] if the cap is no amount.");
    let open = format!(
        "pub fn {name}(&self, request: {request}, cap: &str) -> Result<Pages<'_, {request}, {ty}>, Error> {{"
    );
    out.block(open, "}", |out| {
        line!(out, "let inner = self.inner.{name}(request, cap)?;");
        out.line("Ok(Pages { inner, runtime: &self.runtime, refused: false })");
    });
}
