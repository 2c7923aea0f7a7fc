//! The other attributes of the function: which belong to the name callers see, which to the body.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

use crate::diag::Diagnostics;

/// Rule: a function is one endpoint. A second `#[paid]` is reported and taken away, so that it does not expand.
pub(crate) fn check_only_one_paid(attrs: &mut Vec<Attribute>, d: &mut Diagnostics) {
    attrs.retain(|attr| {
        let again = attr
            .path()
            .segments
            .last()
            .is_some_and(|name| name.ident == "paid");
        if again {
            d.error_over(attr, "a second `#[paid]` on one function").help(
                "a function is one endpoint: give another endpoint a function of its own that calls this one",
            );
        }
        !again
    });
}

/// Divides attributes into those about the name (docs, lints, `deprecated`, `must_use`, `cfg`) and those about the
/// body. Lint levels on the outer function hold for the inner one too.
pub(super) fn divide(attrs: &[Attribute]) -> (Vec<Attribute>, Vec<Attribute>) {
    let mut outer = Vec::new();
    let mut inner = Vec::new();
    for attr in attrs {
        for attr in flattened(attr) {
            if is_outer(&attr.meta) {
                outer.push(attr);
            } else {
                inner.push(attr);
            }
        }
    }
    (outer, inner)
}

fn is_outer(meta: &Meta) -> bool {
    const OUTER: [&str; 10] = [
        "doc",
        "allow",
        "warn",
        "deny",
        "forbid",
        "expect",
        "deprecated",
        "must_use",
        "cfg",
        "rustfmt",
    ];
    let is = |name: &&str| {
        let first = meta.path().segments.first();
        first.is_some_and(|segment| segment.ident == *name)
    };
    match conditional(meta) {
        Some((_, inside)) => inside.first().is_some_and(is_outer),
        None => OUTER.iter().any(is),
    }
}

/// `cfg_attr(condition, a, b)` as one attribute for each of `a` and `b`, so that each can go where it belongs.
fn flattened(attr: &Attribute) -> Vec<Attribute> {
    match conditional(&attr.meta) {
        Some((condition, inside)) if inside.len() > 1 => inside
            .iter()
            .map(|meta| {
                let path = attr.path();
                let mut one = attr.clone();
                one.meta = syn::parse_quote!(#path(#condition, #meta));
                one
            })
            .collect(),
        _ => vec![attr.clone()],
    }
}

/// Condition and attributes of a `cfg_attr`.
fn conditional(meta: &Meta) -> Option<(TokenStream, Vec<Meta>)> {
    let Meta::List(list) = meta else { return None };
    if !list.path.is_ident("cfg_attr") {
        return None;
    }
    let all = Punctuated::<Meta, Token![,]>::parse_terminated
        .parse2(list.tokens.clone())
        .ok()?;
    let mut all = all.into_iter();
    let condition = all.next()?;
    Some((quote!(#condition), all.collect()))
}
