//! The annotated item: its signature parsed, its body kept as tokens, so that errors in the body stay rustc's.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Attribute, Signature, Token, Visibility};

use crate::diag::Diagnostics;

/// A function as written.
#[derive(Clone, Debug)]
pub(crate) struct PaidItem {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Group,
}

impl ToTokens for PaidItem {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        for attr in &self.attrs {
            attr.to_tokens(tokens);
        }
        self.vis.to_tokens(tokens);
        self.sig.to_tokens(tokens);
        self.body.to_tokens(tokens);
    }
}

/// Reads the item. If it is no function with a body, that is reported and there is nothing to work with.
pub(crate) fn parse(item: TokenStream, diagnostics: &mut Diagnostics) -> Option<PaidItem> {
    let header = (|input: ParseStream<'_>| {
        let header = Header::parse(input)?;
        let rest: TokenStream = input.parse()?;
        Ok((header, rest))
    })
    .parse2(item.clone());
    let Ok((header, rest)) = header else {
        not_a_function(item, "something else", diagnostics);
        return None;
    };
    if let Some(kind) = kind_of(&rest) {
        not_a_function(rest, kind, diagnostics);
        return None;
    }
    let function = (|input: ParseStream<'_>| {
        let sig: Signature = input.parse()?;
        let body: TokenTree = input.parse()?;
        Ok((sig, body))
    })
    .parse2(rest);
    match function {
        Ok((sig, TokenTree::Group(body))) => Some(PaidItem {
            attrs: header.attrs,
            vis: header.vis,
            sig,
            body,
        }),
        Ok((sig, _)) => {
            diagnostics
                .error_over(sig, "a paid function has a body")
                .help("put `#[paid]` on the function that answers, not on its declaration");
            None
        }
        Err(error) => {
            diagnostics.error(error.span(), format!("cannot read this function: {error}"));
            None
        }
    }
}

/// What every item begins with.
struct Header {
    attrs: Vec<Attribute>,
    vis: Visibility,
}

impl Parse for Header {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        Ok(Self { attrs, vis })
    }
}

/// The name of an item that is no function, or `None` if it may be one.
fn kind_of(rest: &TokenStream) -> Option<&'static str> {
    let words = (|input: ParseStream<'_>| {
        let kind = if input.peek(Token![struct]) {
            Some("a struct")
        } else if input.peek(Token![enum]) {
            Some("an enum")
        } else if input.peek(Token![impl]) || input.peek2(Token![impl]) {
            Some("an impl block")
        } else if input.peek(Token![trait]) || input.peek2(Token![trait]) {
            Some("a trait")
        } else if input.peek(Token![mod]) {
            Some("a module")
        } else if input.peek(Token![static]) {
            Some("a static")
        } else if input.peek(Token![type]) {
            Some("a type alias")
        } else if input.peek(Token![use]) {
            Some("an import")
        } else if input.peek(Token![const]) && !is_function_after_const(input) {
            Some("a constant")
        } else if input.peek(Token![extern]) && input.peek2(syn::token::Brace) {
            Some("an extern block")
        } else {
            None
        };
        let _rest: TokenStream = input.parse()?;
        Ok(kind)
    })
    .parse2(rest.clone());
    words.ok().flatten()
}

/// `const fn`, `const async fn` and so on are functions, wrong ones; `const NAME` is none.
fn is_function_after_const(input: ParseStream<'_>) -> bool {
    input.peek2(Token![fn])
        || input.peek2(Token![async])
        || input.peek2(Token![unsafe])
        || input.peek2(Token![extern])
}

fn not_a_function(item: TokenStream, kind: &str, diagnostics: &mut Diagnostics) {
    // The first token is enough to find it; a struct's whole body would bury the message.
    let first: TokenStream = item.into_iter().take(1).collect();
    diagnostics
        .error_over(
            first,
            format!("`#[paid]` goes on an `async fn`, and this is {kind}"),
        )
        .help("the function that answers the request is what is paid for");
}
