//! The function that callers see. It hides the original inside itself, where no router can reach it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Attribute, ReturnType};
use x402_model::price::{Bounds, PriceModel};

use super::{checks, shapes};
use crate::model::{Argument, Handler, Spec};
use crate::paths::Runtime;
use crate::text;
use crate::validate::output_span;

/// One item: a function that joins the original's future to an endpoint type nobody else can name.
pub(crate) fn function(
    handler: &Handler,
    runtime: &Runtime,
    endpoint_spec: &TokenStream,
    spec: Option<&Spec>,
) -> TokenStream {
    let Handler {
        outer_attrs,
        inner_attrs,
        vis,
        fn_span,
        ident,
        args,
        output,
        body,
    } = handler;
    let outer_attrs = spec.map_or_else(
        || quote!(#(#outer_attrs)*),
        |spec| with_price(outer_attrs, spec),
    );
    let names = args.iter().map(|arg| &arg.name);
    let inputs = args
        .iter()
        .map(|Argument { name, ty, .. }| quote!(#name: #ty));
    let written = args.iter().map(|arg| &arg.written);
    let answer = answer(output);
    // Errors about the answer's type point at the type, as if rustc had found them in the original.
    let at_answer = output_span(output, ident);
    let there = runtime.at(at_answer);
    let checks = spec.map(|spec| checks::fields(spec, runtime));
    let described = spec.map(|_| shapes::described(args, output, runtime));
    let quoted = spec.and_then(|spec| spec.price.quote.as_ref());
    let (hook, state) = quoted.map(|quoted| checks::quoted(quoted, runtime)).unzip();
    let endpoint = match &state {
        None => quote_spanned!(at_answer=> impl #there::Endpoint),
        Some(state) => quote_spanned!(at_answer=> impl #there::Quotes<#state>),
    };
    let more = state.as_ref().map(|state| quote!(, #state));
    let state = state.into_iter();
    let mounted = quote_spanned! {at_answer=>
        #there::MountWithPaywall<
            #endpoint,
            impl #there::Future<Output = #answer> + #there::Send,
            #(#state,)*
        >
    };
    let fn_token = quote_spanned!(*fn_span=> fn);
    let mut original = ident.clone();
    original.set_span(at_answer);
    let call = quote_spanned! {at_answer=>
        #there::MountWithPaywall::<__PaidEndpoint, _ #more>::new(#original(#(#names),*))
    };
    quote! {
        #outer_attrs
        #vis #fn_token #ident(#(#inputs),*) -> #mounted {
            enum __PaidEndpoint {}
            impl #runtime::Endpoint for __PaidEndpoint {
                const SPEC: #runtime::EndpointSpec = #endpoint_spec;
                #described
            }
            #hook
            #checks
            #(#inner_attrs)*
            async #fn_token #ident(#(#written),*) #output #body
            #call
        }
    }
}

/// The type of the answer.
fn answer(output: &ReturnType) -> TokenStream {
    match output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => quote!(#ty),
    }
}

/// The attributes with a line for rustdoc that names the price. It follows the first paragraph of the author's words:
/// at their end it might stand in a section on something else.
fn with_price(attrs: &[Attribute], spec: &Spec) -> TokenStream {
    let first = attrs.iter().position(text::is_doc);
    let price = in_words(&spec.price.model);
    let line = match &spec.route {
        Some(route) => format!(" Paid: {price} for `{} {}`.", route.method, route.path),
        None => format!(" Paid: {price}."),
    };
    let Some(first) = first else {
        return quote!(#(#attrs)* #[doc = #line]);
    };
    let paragraph = attrs
        .iter()
        .skip(first)
        .take_while(|attr| text::is_doc(attr) && !text::is_blank_line(attr))
        .count();
    let (before, after) = attrs
        .split_at_checked(first.saturating_add(paragraph))
        .unwrap_or((attrs, &[]));
    quote! { #(#before)* #[doc = ""] #[doc = #line] #(#after)* }
}

/// What a call costs, as far as that can be said in a line.
fn in_words(model: &PriceModel) -> String {
    let Bounds { min, max } = model.bounds();
    if min == max {
        max.to_string()
    } else if min.amount.is_zero() {
        format!("up to {max}")
    } else {
        format!("{} to {max}", min.amount)
    }
}
