//! Reads the route, `GET "/weather/{city}"`.

use proc_macro2::{Ident, TokenTree};
use syn::{Lit, LitStr};

use super::parts::{collect, report_rest};
use crate::diag::Diagnostics;

/// Method and path as written.
#[derive(Clone, Debug)]
pub(crate) struct RawRoute {
    pub(crate) method: Ident,
    pub(crate) path: LitStr,
}

/// Words that are HTTP methods in some spelling, the ones that can't be sold included.
const METHOD_WORDS: [&str; 9] = [
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT",
];

/// Whether the word is meant as a method.
pub(crate) fn is_method_word(word: &Ident) -> bool {
    let word = word.to_string();
    METHOD_WORDS.iter().any(|m| m.eq_ignore_ascii_case(&word))
}

/// Reads what follows the method.
pub(crate) fn read(
    method: &Ident,
    after: &[TokenTree],
    diagnostics: &mut Diagnostics,
) -> Option<RawRoute> {
    let (equals, value) = match after {
        [TokenTree::Punct(mark), value @ ..] if matches!(mark.as_char(), '=' | ':') => {
            (true, value)
        }
        value => (false, value),
    };
    let example = format!("write `{method} \"/weather/{{city}}\"`");
    let [TokenTree::Literal(literal), rest @ ..] = value else {
        let message = format!("the path of `{method}` must be a string literal");
        let error = match value {
            [] => diagnostics.error(method.span(), format!("`{method}` lacks a path")),
            _ => diagnostics.error_over(collect(value), message),
        };
        error.help(example);
        return None;
    };
    match Lit::new(literal.clone()) {
        Lit::Str(path) if path.suffix().is_empty() => {
            if equals {
                let written = path.token();
                diagnostics
                    .error_over(
                        collect(after.get(..1).unwrap_or_default()),
                        "the path follows the method directly",
                    )
                    .help(format!("write `{method} {written}`"));
                return None;
            }
            report_rest(rest, "the route", diagnostics);
            let method = method.clone();
            Some(RawRoute { method, path })
        }
        _ => {
            diagnostics
                .error(
                    literal.span(),
                    format!("the path of `{method}` must be a string literal"),
                )
                .help(example);
            None
        }
    }
}
