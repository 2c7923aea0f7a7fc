//! The rules a paid function keeps, one `check_*` each. Rules about texts themselves are `x402_model`'s.

mod args;
pub(crate) mod attributes;
mod lifecycle;
mod price;
mod route;
mod signature;
mod texts;

use proc_macro2::Span;
use syn::ReturnType;

use crate::diag::Diagnostics;
use crate::model::{Handler, PaidFn, Spec};
use crate::syntax::item::PaidItem;

/// Checks what the attribute says. `None` if any of it is wrong; everything wrong is reported.
pub(crate) fn spec(function: &PaidFn, d: &mut Diagnostics) -> Option<Spec> {
    let PaidFn { attr, item } = function;
    let (rails, parsed) = texts::check_rails(attr, d);
    let price = price::check_price(attr, item, route::peek(attr).as_ref(), &parsed, d);
    let route = route::check_route(attr, d);
    let id = texts::check_id(attr, item, d);
    let (summary, description) = texts::check_texts(attr, item, d);
    let tags = texts::check_tags(attr, d);
    let mime_type = texts::check_mime_type(attr, item, d);
    let timeout_seconds = texts::check_timeout(attr, d);
    let pay_to = texts::check_pay_to(attr, d);
    let payment_ids = texts::check_payment_ids(attr, d);
    let lifecycle = lifecycle::check(attr, price.as_ref(), d);
    if let Some(route) = &route {
        args::check_captures(item, route, d);
    }
    Some(Spec {
        id: id?,
        route,
        price: price?,
        summary,
        description,
        tags,
        mime_type,
        timeout_seconds: timeout_seconds?,
        pay_to,
        rails,
        payment_ids,
        lifecycle: lifecycle?,
    })
}

/// Checks whether the function can be a handler. `None` if no wrapper for it would compile.
pub(crate) fn handler(item: &PaidItem, d: &mut Diagnostics) -> Option<Handler> {
    let sig = &item.sig;
    let before = d.count();
    signature::check_generics(sig, d);
    signature::check_receiver(sig, d);
    signature::check_variadic(sig, d);
    args::check_count(sig, d);
    args::check_impl_trait(sig, d);
    args::check_cfg(sig, d);
    let fits = d.count() == before;
    // These are wrong too, but a wrapper can be made all the same.
    signature::check_async(sig, d);
    signature::check_qualifiers(sig, d);
    args::check_types(sig, d);
    args::check_body_extractors(sig, d);
    let (outer_attrs, inner_attrs) = attributes::divide(&item.attrs);
    fits.then(|| Handler {
        outer_attrs,
        inner_attrs,
        vis: item.vis.clone(),
        fn_span: sig.fn_token.span,
        ident: sig.ident.clone(),
        args: args::named(sig),
        output: sig.output.clone(),
        body: item.body.clone(),
    })
}

/// Where the type an answer has is written, or the function's name where none is.
pub(crate) fn output_span(output: &ReturnType, ident: &syn::Ident) -> Span {
    use syn::spanned::Spanned as _;
    match output {
        ReturnType::Default => ident.span(),
        ReturnType::Type(_, ty) => ty.span(),
    }
}
