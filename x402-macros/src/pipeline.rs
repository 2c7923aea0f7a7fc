//! The passes in order: parse, validate, expand; and what is emitted when one of them reports a mistake.

use proc_macro2::TokenStream;
use quote::ToTokens as _;

use crate::diag::Diagnostics;
use crate::model::{PaidFn, Validated};
use crate::syntax::{attr, item};
use crate::{expand, fallback};

/// Expands one `#[paid(arguments)] item`. Never fails: mistakes become `compile_error!`s beside the item.
pub(crate) fn paid(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let attr = attr::parse(arguments, &mut diagnostics);
    let Some(function) = item::parse(item.clone(), &mut diagnostics) else {
        return fallback::unchanged(item, diagnostics);
    };
    let validated = PaidFn {
        attr,
        item: function,
    }
    .validate(&mut diagnostics);
    match validated {
        Validated::Whole(function) => {
            let tokens = expand::paid_fn(&function);
            fallback::beside(&tokens, diagnostics)
        }
        Validated::SignatureOnly(signature, krate) => {
            fallback::without_spec(&signature, &krate, diagnostics)
        }
        Validated::Neither(function) => {
            fallback::unchanged(&function.into_token_stream(), diagnostics)
        }
    }
}
