//! Reads the value of one key, and explains what kind of value the key takes.

use proc_macro2::{Literal, TokenTree};
use syn::{Lit, LitInt, LitStr, Path};

use super::keys::Key;
use super::parts::{self, bracketed, collect, report_rest};
use crate::diag::Diagnostics;

/// `timeout` as written: a number of seconds or a text such as `"90s"`.
#[derive(Clone, Debug)]
pub(crate) enum Duration {
    Seconds(LitInt),
    Text(LitStr),
}

/// A string literal.
pub(crate) fn string(
    key: Key,
    value: &[TokenTree],
    diagnostics: &mut Diagnostics,
) -> Option<LitStr> {
    match value {
        [TokenTree::Literal(literal), rest @ ..] => {
            let text = str_literal(key, literal, diagnostics);
            // A price such as `0.01 USDC` without quotes is one mistake, not two.
            if text.is_some() {
                report_rest(rest, &format!("the value of `{}`", key.name()), diagnostics);
            }
            text
        }
        _ => {
            not_a_literal(key, value, diagnostics);
            None
        }
    }
}

fn str_literal(key: Key, literal: &Literal, diagnostics: &mut Diagnostics) -> Option<LitStr> {
    let wrong = match Lit::new(literal.clone()) {
        Lit::Str(text) if text.suffix().is_empty() => return Some(text),
        Lit::Str(text) => {
            let suffix = text.suffix().to_owned();
            diagnostics.error(
                literal.span(),
                format!("a string has no suffix: remove `{suffix}`"),
            );
            return None;
        }
        Lit::Int(number) => Some(number.base10_digits().to_owned()),
        Lit::Float(number) => Some(number.base10_digits().to_owned()),
        _ => None,
    };
    if let (Some(number), Key::Price) = (wrong, key) {
        diagnostics
            .error(
                literal.span(),
                "`price` is a string of an exact amount and its unit, not a number",
            )
            .help(format!(
                "write `price = \"{number} USDC\"` for a token, or `price = \"{number} USD\"` for any accepted dollar token"
            ));
    } else {
        diagnostics
            .error(literal.span(), format!("`{}` is a string", key.name()))
            .help(format!("write `{}`", key.example()));
    }
    None
}

fn not_a_literal(key: Key, value: &[TokenTree], diagnostics: &mut Diagnostics) {
    let name = key.name();
    let signed = matches!(value, [TokenTree::Punct(sign), TokenTree::Literal(_), ..] if matches!(sign.as_char(), '-' | '+'));
    let error = diagnostics.error_over(
        collect(value),
        if signed && key == Key::Price {
            "`price` is a string of an exact amount and its unit, and has no sign".to_owned()
        } else {
            format!("`{name}` must be a string literal")
        },
    );
    if !signed && matches!(value, [TokenTree::Ident(_), ..]) {
        error.help("the value is read while the macro runs, when constants and macros such as `env!` or `concat!` have no value yet");
    }
    error.help(format!("write `{}`", key.example()));
}

/// A list of string literals in brackets. Elements that are something else are reported and left out.
pub(crate) fn strings(
    key: Key,
    value: &[TokenTree],
    diagnostics: &mut Diagnostics,
) -> Option<Vec<LitStr>> {
    let name = key.name();
    match value {
        [list, rest @ ..] if let Some(list) = bracketed(list) => {
            report_rest(rest, &format!("the value of `{name}`"), diagnostics);
            let before = diagnostics.count();
            let elements: Vec<LitStr> = parts::split(list.stream(), diagnostics)
                .iter()
                .filter_map(|part| element(key, part, diagnostics))
                .collect();
            (diagnostics.count() == before).then_some(elements)
        }
        [TokenTree::Literal(literal)] if let Lit::Str(text) = Lit::new(literal.clone()) => {
            let value = text.token();
            diagnostics
                .error(literal.span(), format!("`{name}` is a list"))
                .help(format!("write `{name} = [{value}]`"));
            None
        }
        _ => {
            diagnostics
                .error_over(
                    collect(value),
                    format!("`{name}` is a list of string literals"),
                )
                .help(format!("write `{}`", key.example()));
            None
        }
    }
}

fn element(key: Key, part: &[TokenTree], diagnostics: &mut Diagnostics) -> Option<LitStr> {
    let name = key.name();
    if let [TokenTree::Literal(literal), rest @ ..] = part
        && let Lit::Str(text) = Lit::new(literal.clone())
        && text.suffix().is_empty()
    {
        report_rest(rest, &format!("an element of `{name}`"), diagnostics);
        return Some(text);
    }
    diagnostics
        .error_over(
            collect(part),
            format!("every element of `{name}` is a string literal"),
        )
        .help(format!("write `{}`", key.example()));
    None
}

/// Seconds as an integer, or a text.
pub(crate) fn duration(value: &[TokenTree], diagnostics: &mut Diagnostics) -> Option<Duration> {
    let [TokenTree::Literal(literal), rest @ ..] = value else {
        wrong_duration(value, diagnostics);
        return None;
    };
    let duration = match Lit::new(literal.clone()) {
        Lit::Int(seconds) => Duration::Seconds(seconds),
        Lit::Str(text) if text.suffix().is_empty() => Duration::Text(text),
        _ => {
            wrong_duration(value, diagnostics);
            return None;
        }
    };
    report_rest(rest, "the value of `timeout`", diagnostics);
    Some(duration)
}

fn wrong_duration(value: &[TokenTree], diagnostics: &mut Diagnostics) {
    diagnostics
        .error_over(
            collect(value),
            "`timeout` is a whole number of seconds or a text such as \"90s\"",
        )
        .help("write `timeout = 90` or `timeout = \"90s\"`");
}

/// A path such as `my_crate::x402_runtime`.
pub(crate) fn path(value: &[TokenTree], diagnostics: &mut Diagnostics) -> Option<Path> {
    use syn::parse::Parser as _;
    if let [TokenTree::Literal(literal)] = value
        && let Lit::Str(text) = Lit::new(literal.clone())
    {
        diagnostics
            .error(literal.span(), "`crate` is a path, not a string")
            .help(format!("write `crate = {}`", text.value()));
        return None;
    }
    match Path::parse_mod_style.parse2(collect(value)) {
        Ok(path) => Some(path),
        Err(_) => {
            diagnostics
                .error_over(
                    collect(value),
                    "`crate` is the path at which `x402_runtime` is found",
                )
                .help(format!("write `{}`", Key::Crate.example()));
            None
        }
    }
}
