//! What the compiler is asked, because only it knows the handler's types: is there such a field, and is it comparable?

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::model::{Compared, FieldCheck, Quoted, Spec};
use crate::paths::Runtime;

/// One unnamed constant for each field that the price looks at. They do nothing and are never called.
pub(super) fn fields(spec: &Spec, runtime: &Runtime) -> TokenStream {
    spec.price
        .fields
        .iter()
        .map(|check| field(check, runtime))
        .collect()
}

fn field(check: &FieldCheck, runtime: &Runtime) -> TokenStream {
    let FieldCheck {
        ty,
        fields,
        compared,
    } = check;
    let at = fields.last().map_or_else(Span::call_site, Ident::span);
    let rt = runtime.at(at);
    // With a place of its own the compiler would show the whole attribute, and not the field.
    let value = Ident::new("__value", at);
    let place = quote_spanned!(at=> #value #(.#fields)*);
    let question = match compared {
        Compared::Text => quote_spanned! {at=>
            #[allow(unused_imports)]
            use #rt::compared::{MayBeText as _, NoText as _};
            #rt::compared::text((&#rt::compared::Field(&#place)).kind());
        },
        Compared::Number => quote_spanned!(at=> #rt::compared::number(&#place);),
        Compared::Truth => quote_spanned!(at=> #rt::compared::truth(&#place);),
        Compared::Length => quote_spanned!(at=> #rt::compared::length(&#place);),
        Compared::Items => quote_spanned!(at=> #rt::compared::items(&#place);),
    };
    quote! {
        const _: fn(&#ty) = |#value| { #question };
    }
}

/// The quote function behind the endpoint's type, and the type that says which state it takes.
pub(super) fn quoted(quoted: &Quoted, runtime: &Runtime) -> (TokenStream, TokenStream) {
    let Quoted { function, state } = quoted;
    let at = function
        .segments
        .last()
        .map_or_else(Span::call_site, |name| name.ident.span());
    let rt = runtime.at(at);
    let (state, ask) = match state {
        Some(ty) => (
            quote!(#runtime::WithState<#ty>),
            quote_spanned!(at=> #function(state.0, request)),
        ),
        None => (
            quote!(#runtime::WithoutState),
            quote_spanned!(at=> #function(request)),
        ),
    };
    let pattern = if quoted.state.is_some() {
        quote_spanned!(at=> state)
    } else {
        quote_spanned!(at=> _)
    };
    let hook = quote_spanned! {at=>
        impl #rt::Quotes<#state> for __PaidEndpoint {
            fn quote(
                #pattern: #state,
                request: #rt::QuoteRequest,
            ) -> #rt::BoxFuture<'static, #rt::QuoteResult> {
                #rt::Box::pin(#ask)
            }
        }
    };
    (hook, state)
}
