//! The `#[paid]` attribute.
use proc_macro::TokenStream;

/// See the `x402-runtime` crate, which re-exports this macro.
#[proc_macro_attribute]
pub fn paid(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    item
}
