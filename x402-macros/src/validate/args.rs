//! Rules about arguments: only what is wrong for certain is refused here, the rest is up to the extractor traits.

use proc_macro2::{Ident, Span};
use quote::ToTokens as _;
use syn::{FnArg, GenericArgument, Pat, PathArguments, PathSegment, Signature, Type};
use x402_model::endpoint::rules;

use crate::diag::Diagnostics;
use crate::model::{Argument, Route};
use crate::syntax::item::PaidItem;

/// Most arguments of a handler, as in axum.
const MAX_ARGUMENTS: usize = 16;

/// Types of std that are no extractors: nobody but their own crate could make them so.
const NO_EXTRACTORS: [&str; 16] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32",
    "u64", "u128", "usize",
];

/// Extractors of axum that take the whole request.
const BODY_EXTRACTORS: [&str; 8] = [
    "Json",
    "Form",
    "Bytes",
    "BytesMut",
    "String",
    "Multipart",
    "RawForm",
    "Request",
];

/// Rule: at most 16 arguments.
pub(super) fn check_count(sig: &Signature, d: &mut Diagnostics) {
    if let Some(first) = sig.inputs.iter().nth(MAX_ARGUMENTS) {
        let message = format!(
            "a paid function has at most {MAX_ARGUMENTS} arguments, and this one has {}",
            sig.inputs.len()
        );
        d.error_over(first, message)
            .help("tuples of extractors are extractors: join some of the arguments into one");
    }
}

/// Rule: no `impl Trait` arguments, which are generic parameters without a name.
pub(super) fn check_impl_trait(sig: &Signature, d: &mut Diagnostics) {
    for ty in types(sig) {
        let hidden = flat(ty.to_token_stream())
            .into_iter()
            .find(|ident| ident == "impl");
        if let Some(hidden) = hidden {
            d.error(
                hidden.span(),
                "an argument of a paid function has a named type",
            )
            .help("`impl Trait` is a generic parameter in disguise: write the extractor's type");
        }
    }
}

/// Rule: no `cfg` on single arguments; the wrapper passes all of them on.
pub(super) fn check_cfg(sig: &Signature, d: &mut Diagnostics) {
    for arg in &sig.inputs {
        let (FnArg::Typed(syn::PatType { attrs, .. })
        | FnArg::Receiver(syn::Receiver { attrs, .. })) = arg;
        for attr in attrs {
            if attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr") {
                d.error_over(attr, "an argument of a paid function cannot be conditional")
                    .help("put `#[cfg]` on the function and write it once for each case");
            }
        }
    }
}

/// Rule: references and primitive types are no extractors.
pub(super) fn check_types(sig: &Signature, d: &mut Diagnostics) {
    for ty in types(sig) {
        match ty {
            Type::Reference(reference) if !is_static(reference) => {
                d.error_over(
                    reference,
                    "an argument of a paid function cannot be a reference",
                )
                .help("extractors own what they take from the request: use the owned type");
            }
            Type::Infer(infer) => {
                d.error_over(infer, "an argument of a paid function has a written type");
            }
            _ => {}
        }
        if let Some(name) = plain_name(ty)
            && NO_EXTRACTORS
                .iter()
                .any(|primitive| name.ident == primitive)
        {
            let name = &name.ident;
            d.error(name.span(), format!("`{name}` is not an extractor"))
                .help(format!(
                    "take it from the path with `Path(value): Path<{name}>`, or from the query with `Query<…>`"
                ));
        }
    }
}

fn is_static(reference: &syn::TypeReference) -> bool {
    let lifetime = reference.lifetime.as_ref();
    lifetime.is_some_and(|lifetime| lifetime.ident == "static")
}

/// Rule: an extractor that takes the body stands last.
///
/// Judged by the bare names of axum's extractors; a type of the same name that is written with its path is not judged.
pub(super) fn check_body_extractors(sig: &Signature, d: &mut Diagnostics) {
    let last = sig.inputs.len().saturating_sub(1);
    for ty in types(sig).take(last) {
        let Some(name) = plain_name(ty) else { continue };
        if let Some(known) = BODY_EXTRACTORS.iter().find(|known| name.ident == **known) {
            d.error_over(
                ty,
                format!("`{known}` takes the body, so it must be the last argument"),
            )
            .help(format!(
                "if this is another `{known}` that does not, write its path, as in `crate::{known}`"
            ));
        }
    }
}

/// Rule: `Path<…>` takes as many values as the route captures, where its type tells how many.
pub(super) fn check_captures(item: &PaidItem, route: &Route, d: &mut Diagnostics) {
    let captures = rules::captures(&route.path).count();
    for ty in types(&item.sig) {
        let Some(name) = plain_name(ty).filter(|name| name.ident == "Path") else {
            continue;
        };
        let Some(inner) = only_type_argument(name) else {
            continue;
        };
        let Some(taken) = values_of(inner) else {
            if captures == 0 {
                d.error_over(ty, format!("`{}` captures nothing for `Path`", route.path))
                    .help("name a capture in braces, as in `/weather/{city}`");
            }
            continue;
        };
        if taken != captures {
            let message = format!(
                "`Path` takes {} here, and `{}` captures {}",
                values(taken),
                route.path,
                if captures == 0 {
                    "none".to_owned()
                } else {
                    captures.to_string()
                }
            );
            d.error_over(inner, message).help(match captures {
                0 => "name a capture in braces, as in `/weather/{city}`",
                1 => "take one value, as in `Path<String>`",
                _ => "take a tuple with one value for each capture, or a struct with one field for each",
            });
        }
    }
}

fn values(count: usize) -> String {
    if count == 1 {
        "1 value".to_owned()
    } else {
        format!("{count} values")
    }
}

/// How many captures a type inside `Path` takes, if that is certain: tuples take one for each element, scalars one.
fn values_of(ty: &Type) -> Option<usize> {
    match ty {
        Type::Tuple(tuple) if !tuple.elems.is_empty() => Some(tuple.elems.len()),
        _ => {
            let name = &plain_name(ty)?.ident;
            let scalar = name == "String" || NO_EXTRACTORS.iter().any(|scalar| name == scalar);
            scalar.then_some(1)
        }
    }
}

/// The arguments with names for the signature callers see: the pattern's own name where it has one.
pub(super) fn named(sig: &Signature) -> Vec<Argument> {
    let mut taken: Vec<String> = vec![sig.ident.to_string()];
    let typed = sig.inputs.iter().filter_map(|arg| match arg {
        FnArg::Typed(typed) => Some((arg, typed)),
        FnArg::Receiver(_) => None,
    });
    typed
        .enumerate()
        .map(|(place, (written, typed))| {
            let name = name_in(&typed.pat)
                .filter(|name| !taken.contains(&name.to_string()))
                .map_or_else(
                    || Ident::new(&format!("arg{place}"), Span::mixed_site()),
                    // Resolved where the macro is, so that no constant of the same name is meant.
                    |name| {
                        let mut name = name.clone();
                        name.set_span(name.span().resolved_at(Span::mixed_site()));
                        name
                    },
                );
            taken.push(name.to_string());
            Argument {
                written: written.clone(),
                name,
                ty: (*typed.ty).clone(),
            }
        })
        .collect()
}

/// The one name a pattern binds, if it is a variable's: `city` for `Path(city)`, `app` for `State(mut app)`.
fn name_in(pat: &Pat) -> Option<&Ident> {
    match pat {
        Pat::Ident(binding) if binding.subpat.is_none() => {
            let lower = binding
                .ident
                .to_string()
                .starts_with(|c: char| c.is_lowercase());
            lower.then_some(&binding.ident)
        }
        Pat::TupleStruct(tuple) if tuple.elems.len() == 1 => name_in(tuple.elems.first()?),
        Pat::Paren(inner) => name_in(&inner.pat),
        _ => None,
    }
}

fn types(sig: &Signature) -> impl Iterator<Item = &Type> {
    sig.inputs.iter().filter_map(|arg| match arg {
        FnArg::Typed(typed) => Some(typed.ty.as_ref()),
        FnArg::Receiver(_) => None,
    })
}

/// The segment of a type that is a single name, `Path<String>` but not `axum::extract::Path<String>`.
fn plain_name(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) if path.qself.is_none() && path.path.leading_colon.is_none() => {
            let mut segments = path.path.segments.iter();
            let first = segments.next();
            if segments.next().is_none() {
                first
            } else {
                None
            }
        }
        Type::Group(group) => plain_name(&group.elem),
        Type::Paren(paren) => plain_name(&paren.elem),
        _ => None,
    }
}

/// The last name of a type and the one type in its angle brackets: `Json` and `T` of `axum::Json<T>`.
pub(super) fn outer_and_inner(ty: &Type) -> Option<(Ident, Option<Type>)> {
    match ty {
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            Some((last.ident.clone(), only_type_argument(last).cloned()))
        }
        Type::Group(group) => outer_and_inner(&group.elem),
        Type::Paren(paren) => outer_and_inner(&paren.elem),
        _ => None,
    }
}

fn only_type_argument(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    match (arguments.args.first(), arguments.args.len()) {
        (Some(GenericArgument::Type(ty)), 1) => Some(ty),
        _ => None,
    }
}

/// Every identifier in the tokens, those inside groups too.
fn flat(tokens: proc_macro2::TokenStream) -> Vec<Ident> {
    let mut idents = Vec::new();
    for token in tokens {
        match token {
            proc_macro2::TokenTree::Ident(ident) => idents.push(ident),
            proc_macro2::TokenTree::Group(group) => idents.extend(flat(group.stream())),
            _ => {}
        }
    }
    idents
}
