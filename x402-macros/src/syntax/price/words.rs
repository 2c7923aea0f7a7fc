//! The `key = value` entries inside of `upto(…)`, `dynamic(…)` and the like.

use proc_macro2::{Ident, TokenTree};
use syn::ext::IdentExt as _;
use syn::{Lit, LitStr};

use crate::diag::{Diagnostics, nearest};
use crate::syntax::parts::{self, bracketed, collect};

/// The entries of one pair of parentheses.
#[derive(Debug)]
pub(crate) struct Words {
    /// The word before the parentheses.
    of: &'static str,
    example: &'static str,
    given: Vec<String>,
}

impl Words {
    pub(crate) const fn new(of: &'static str, example: &'static str) -> Self {
        Self {
            of,
            example,
            given: Vec::new(),
        }
    }

    /// Whether an entry of that key was there, readable or not.
    pub(crate) fn is_given(&self, key: &str) -> bool {
        self.given.iter().any(|given| given == key)
    }

    /// Notes a key, and reports it if it was there before.
    pub(crate) fn given(&mut self, key: &Ident, d: &mut Diagnostics) -> bool {
        let name = key.unraw().to_string();
        if self.is_given(&name) {
            d.error(key.span(), format!("`{name}` is given twice"))
                .help("keep one of them");
            return false;
        }
        self.given.push(name);
        true
    }

    /// Key and value of an entry, if the key is one of those.
    pub(crate) fn entry<'p>(
        &mut self,
        part: &'p [TokenTree],
        keys: &[&str],
        d: &mut Diagnostics,
    ) -> Option<(String, &'p [TokenTree])> {
        let (word, value) = match part {
            [TokenTree::Ident(word), TokenTree::Punct(equals), value @ ..]
                if parts::is_punct(equals, '=') && !value.is_empty() =>
            {
                (word, value)
            }
            _ => {
                d.error_over(
                    collect(part),
                    format!("cannot read this part of `{}`", self.of),
                )
                .help(format!("for example `{}`", self.example));
                return None;
            }
        };
        let name = word.unraw().to_string();
        if !keys.contains(&name.as_str()) {
            let list: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
            let near = nearest(&name, keys.iter().copied());
            // Most likely this one is meant, so it is not missing too.
            self.given.extend(near.map(str::to_owned));
            d.error(word.span(), format!("`{}` has no `{name}`", self.of))
                .maybe_help(near.map(|near| format!("did you mean `{near}`?")))
                .help(format!("it has {}", list.join(", ")));
            return None;
        }
        self.given(word, d).then_some((name, value))
    }

    /// A string literal.
    pub(crate) fn string(
        &self,
        key: &str,
        value: &[TokenTree],
        d: &mut Diagnostics,
    ) -> Option<LitStr> {
        if let [TokenTree::Literal(literal)] = value
            && let Lit::Str(text) = Lit::new(literal.clone())
            && text.suffix().is_empty()
        {
            return Some(text);
        }
        let message = match key {
            "units" | "unit" | "prepaid" => "a price is a string literal".to_owned(),
            key => format!("`{key}` is a string literal"),
        };
        d.error_over(collect(value), message)
            .help(format!("for example `{}`", self.example));
        None
    }

    /// A whole number of at least 1.
    pub(crate) fn number(
        &self,
        key: &str,
        value: &[TokenTree],
        d: &mut Diagnostics,
    ) -> Option<u64> {
        if let [TokenTree::Literal(literal)] = value
            && let Lit::Int(number) = Lit::new(literal.clone())
            && number.suffix().is_empty()
            && let Ok(number) = number.base10_parse::<u64>()
            && number > 0
        {
            return Some(number);
        }
        d.error_over(
            collect(value),
            format!("`{key}` is a whole number of at least 1"),
        )
        .help(format!("for example `{}`", self.example));
        None
    }

    /// A list of string literals.
    pub(crate) fn strings(
        &self,
        key: &str,
        value: &[TokenTree],
        d: &mut Diagnostics,
    ) -> Vec<LitStr> {
        match value {
            [list] if let Some(list) = bracketed(list) => parts::split(list.stream(), d)
                .iter()
                .filter_map(|part| self.string(key, part, d))
                .collect(),
            _ => {
                d.error_over(
                    collect(value),
                    format!("`{key}` is a list of string literals"),
                );
                Vec::new()
            }
        }
    }

    /// A type.
    pub(crate) fn ty(
        &self,
        key: &str,
        value: &[TokenTree],
        d: &mut Diagnostics,
    ) -> Option<syn::Type> {
        match syn::parse2(collect(value)) {
            Ok(ty) => Some(ty),
            Err(_) => {
                d.error_over(collect(value), format!("`{key}` is a type"));
                None
            }
        }
    }
}
