//! Rules about the function's signature apart from its arguments.

use syn::spanned::Spanned as _;
use syn::{FnArg, Safety, Signature};

use crate::diag::Diagnostics;

/// Rule: a handler is async, as axum's are. Silently making it so would change what a direct call returns.
pub(super) fn check_async(sig: &Signature, d: &mut Diagnostics) {
    if sig.asyncness.is_none() {
        d.error(sig.fn_token.span, "a paid function is async")
            .help(format!("write `async fn {}`", sig.ident));
    }
}

/// Rule: `const`, `unsafe` and `extern` mean nothing to a caller that is a router.
pub(super) fn check_qualifiers(sig: &Signature, d: &mut Diagnostics) {
    if let Some(constness) = &sig.constness {
        d.error(constness.span, "a paid function cannot be `const`");
    }
    match &sig.safety {
        Safety::Unsafe(token) => {
            d.error(token.span, "a paid function cannot be `unsafe`")
                .help("whoever sends a request calls it: put the `unsafe` block inside");
        }
        Safety::Safe(token) => {
            d.error(token.span, "a paid function needs no `safe`");
        }
        Safety::Default => {}
    }
    if let Some(abi) = &sig.abi {
        d.error_over(abi, "a paid function has Rust's own calling convention")
            .help("remove `extern`");
    }
}

/// Rule: no type, const or lifetime parameters; one endpoint is one function, and nobody could choose its types.
pub(super) fn check_generics(sig: &Signature, d: &mut Diagnostics) {
    if !sig.generics.params.is_empty() {
        let lifetimes_only = sig
            .generics
            .params
            .iter()
            .all(|param| matches!(param, syn::GenericParam::Lifetime(_)));
        let help = if lifetimes_only {
            "extractors own what they take from the request: use types without lifetimes"
        } else {
            "write the types out; a function with parameters can be called by several paid functions"
        };
        d.error_over(
            &sig.generics.params,
            "a paid function has no generic parameters",
        )
        .help(help);
    } else if let Some(clause) = &sig.generics.where_clause {
        d.error_over(clause, "a paid function has no `where` clause")
            .help("without generic parameters there is nothing to constrain: remove it");
    }
}

/// Rule: no `self`; a handler has no object to be called on.
pub(super) fn check_receiver(sig: &Signature, d: &mut Diagnostics) {
    if let Some(FnArg::Receiver(receiver)) = sig.inputs.first() {
        d.error(receiver.span(), "a paid function takes no `self`")
            .help("take shared data with `State(app): State<App>`");
    }
}

/// Rule: no variadic arguments.
pub(super) fn check_variadic(sig: &Signature, d: &mut Diagnostics) {
    if let Some(variadic) = &sig.variadic {
        d.error_over(variadic, "a paid function has no variadic arguments");
    }
}
