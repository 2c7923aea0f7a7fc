//! The `#[paid]` attribute of the `x402-runtime` crate. Use it from there: the code it emits needs that crate.

mod diag;
mod expand;
mod fallback;
mod model;
mod paths;
mod pipeline;
mod syntax;
mod text;
mod validate;

#[cfg(test)]
mod golden;

use proc_macro::TokenStream;

/// Turns an async function into a paid endpoint.
///
/// See `x402_runtime::paid`, where this macro is re-exported and documented.
#[proc_macro_attribute]
pub fn paid(arguments: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::paid(arguments.into(), item.into()).into()
}
