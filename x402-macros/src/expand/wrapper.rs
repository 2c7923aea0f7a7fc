//! The function that callers see. It hides the original inside itself, where no router can reach it.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ReturnType;

use crate::model::{Argument, Handler, Spec};
use crate::paths::Runtime;
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
    let paid_line = spec.map(paid_line);
    let names = args.iter().map(|arg| &arg.name);
    let inputs = args
        .iter()
        .map(|Argument { name, ty, .. }| quote!(#name: #ty));
    let written = args.iter().map(|arg| &arg.written);
    let answer = match output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => quote!(#ty),
    };
    // Errors about the answer's type point at the type, as if rustc had found them in the original.
    let at_answer = output_span(output, ident).resolved_at(Span::mixed_site());
    let future = quote_spanned!(at_answer=> #runtime::Future<Output = #answer> + #runtime::Send);
    let fn_token = quote_spanned!(*fn_span=> fn);
    let call = quote_spanned!(at_answer=> #runtime::MountWithPaywall::<__PaidEndpoint, _>::new);
    quote! {
        #(#outer_attrs)*
        #paid_line
        #vis #fn_token #ident(#(#inputs),*) -> #runtime::MountWithPaywall<
            impl #runtime::Endpoint,
            impl #future,
        > {
            enum __PaidEndpoint {}
            impl #runtime::Endpoint for __PaidEndpoint {
                const SPEC: #runtime::EndpointSpec = #endpoint_spec;
            }
            #(#inner_attrs)*
            async #fn_token #ident(#(#written),*) #output #body
            #call(#ident(#(#names),*))
        }
    }
}

/// The line rustdoc shows below the author's own words.
fn paid_line(spec: &Spec) -> TokenStream {
    let line = match &spec.route {
        Some(route) => format!(
            "Paid: {} for `{} {}`.",
            spec.price, route.method, route.path
        ),
        None => format!("Paid: {}.", spec.price),
    };
    quote! {
        #[doc = ""]
        #[doc = #line]
    }
}
