//! Where generated code finds the runtime: `::x402_runtime`, or what `crate = …` says.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Path;

/// The runtime's hidden module, through which all generated code goes.
#[derive(Clone, Debug)]
pub(crate) struct Runtime(TokenStream);

impl Runtime {
    pub(crate) fn new(overridden: Option<&Path>) -> Self {
        Self(overridden.map_or_else(
            || quote!(::x402_runtime::__private),
            |path| quote!(#path::__private),
        ))
    }
}

impl Runtime {
    /// The same path, reported at another place if it is part of an error.
    pub(crate) fn at(&self, place: Span) -> Self {
        let moved = self.0.clone().into_iter().map(|mut token| {
            token.set_span(place);
            token
        });
        Self(moved.collect())
    }
}

impl quote::ToTokens for Runtime {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}
