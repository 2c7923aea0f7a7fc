//! What is emitted beside the errors, so that one mistake does not become thirty.

use proc_macro2::TokenStream;
use quote::quote;

use crate::diag::Diagnostics;
use crate::expand;
use crate::model::Handler;
use crate::paths::Runtime;

/// The item as written.
pub(crate) fn unchanged(item: &TokenStream, diagnostics: Diagnostics) -> TokenStream {
    beside(item, diagnostics)
}

/// The function as it would be, with a placeholder for the endpoint's data: `mount(weather)` and unit tests elsewhere
/// still compile, and the only errors are the ones reported.
pub(crate) fn without_spec(
    handler: &Handler,
    runtime: &Runtime,
    diagnostics: Diagnostics,
) -> TokenStream {
    let spec = expand::placeholder(runtime);
    beside(
        &expand::function(handler, runtime, &spec, None),
        diagnostics,
    )
}

/// Tokens and the mistakes found on the way to them.
pub(crate) fn beside(tokens: &TokenStream, diagnostics: Diagnostics) -> TokenStream {
    let errors = diagnostics.into_compile_errors();
    quote!(#errors #tokens)
}
