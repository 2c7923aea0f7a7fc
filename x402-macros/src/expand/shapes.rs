//! Questions about the handler's types whose answers become JSON Schemas when the function is mounted.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::ReturnType;

use crate::model::Argument;
use crate::paths::Runtime;

/// The method that describes arguments and answer. Nothing of it runs before the function is mounted.
pub(super) fn described(args: &[Argument], output: &ReturnType, runtime: &Runtime) -> TokenStream {
    let arguments = args
        .iter()
        .map(|Argument { ty, .. }| ty.to_token_stream())
        .map(|ty| quote!((&&&#runtime::described::Argument::<#ty>::new()).describe(to);));
    let answer = match output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => {
            // `impl Trait` is a type that cannot be named a second time.
            let ty = ty.to_token_stream();
            let named = !has_impl(ty.clone());
            named.then(|| quote!((&&&#runtime::described::Answer::<#ty>::new()).describe(to);))
        }
    };
    if args.is_empty() && answer.is_none() {
        return TokenStream::new();
    }
    quote! {
        fn describe(to: &mut #runtime::described::Description<'_>) {
            #[allow(unused_imports)]
            use #runtime::described::{HalfKnown as _, Known as _, Unknown as _};
            #(#arguments)*
            #answer
        }
    }
}

fn has_impl(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "impl",
        TokenTree::Group(group) => has_impl(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
