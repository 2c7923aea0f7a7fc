//! Splits tokens at commas, so that a mistake in one part does not hide those in the others.

use proc_macro2::{Delimiter, Group, Punct, Spacing, TokenStream, TokenTree};

use crate::diag::Diagnostics;

/// What stands between two commas; never empty.
pub(crate) type Part = Vec<TokenTree>;

/// The parts of a comma-separated list. A trailing comma is fine, a doubled one is reported.
pub(crate) fn split(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut current = Part::new();
    for token in tokens {
        match unwrapped(token) {
            TokenTree::Punct(comma) if matches!(comma.as_char(), ',' | ';') => {
                if comma.as_char() == ';' {
                    diagnostics.error(comma.span(), "entries are separated by commas");
                }
                if current.is_empty() {
                    diagnostics.error(comma.span(), "nothing stands before this comma");
                } else {
                    parts.push(std::mem::take(&mut current));
                }
            }
            token => current.push(token),
        }
    }
    if !current.is_empty() {
        parts.push(current);
    }
    parts
}

/// Takes away the invisible delimiters around a single token that came through a `macro_rules!` fragment.
fn unwrapped(token: TokenTree) -> TokenTree {
    let TokenTree::Group(group) = &token else {
        return token;
    };
    if group.delimiter() != Delimiter::None {
        return token;
    }
    let mut inner = group.stream().into_iter();
    match (inner.next(), inner.next()) {
        (Some(only), None) => unwrapped(only),
        _ => token,
    }
}

/// Whether this is the punctuation mark, standing alone.
pub(crate) fn is_punct(punct: &Punct, wanted: char) -> bool {
    punct.as_char() == wanted && punct.spacing() == Spacing::Alone
}

/// The group as a list, if it is in brackets.
pub(crate) fn bracketed(token: &TokenTree) -> Option<&Group> {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => Some(group),
        _ => None,
    }
}

/// Reports what follows a finished value.
pub(crate) fn report_rest(rest: &[TokenTree], after: &str, diagnostics: &mut Diagnostics) {
    if !rest.is_empty() {
        diagnostics
            .error_over(collect(rest), format!("unexpected after {after}"))
            .help("entries are separated by commas");
    }
}

/// Tokens as a stream.
pub(crate) fn collect(tokens: &[TokenTree]) -> TokenStream {
    tokens.iter().cloned().collect()
}
