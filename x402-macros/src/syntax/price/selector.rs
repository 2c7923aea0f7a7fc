//! Reads selectors: `body.quality`, `query.units`, `header("x-size")`, `chars(body.prompt) / 3 or 0`.

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::{Lit, LitStr};
use x402_model::price::{CaseValue, Measure, Selector, Source};

use super::call;
use crate::diag::{Diagnostics, nearest};
use crate::syntax::parts::{collect, is_punct};

/// A selector as written.
#[derive(Clone, Debug)]
pub(crate) struct RawSelector {
    /// The tokens, for messages that are about all of them.
    pub(crate) tokens: TokenStream,
    /// Where the part of the exchange is named.
    pub(crate) at: Span,
    pub(crate) selector: Selector,
    /// The fields after the dots; none where the place is a string, which is not held against any type.
    pub(crate) fields: Vec<Ident>,
}

const EXAMPLES: &str = "selectors are `path.city`, `query.units`, `header(\"x-size\")`, `body.quality`, \
                        `body(\"/json/pointer\")`, and `bytes(…)`, `chars(…)` or `items(…)` of one";

/// Reads a selector, with what stands after it: `/ 3`, `or "default"`.
pub(crate) fn read(tokens: &[TokenTree], d: &mut Diagnostics) -> Option<RawSelector> {
    let (mut raw, mut rest) = measured(tokens, d)?;
    if let [
        TokenTree::Punct(slash),
        TokenTree::Literal(divisor),
        after @ ..,
    ] = rest
        && is_punct(slash, '/')
    {
        raw.selector.divide_by = match Lit::new(divisor.clone()) {
            Lit::Int(number) if let Ok(number @ 1..) = number.base10_parse::<u64>() => number,
            _ => {
                d.error(
                    divisor.span(),
                    "a count is divided by a whole number of at least 1",
                )
                .help("for example `chars(body.prompt) / 3`, for three characters to a token");
                return None;
            }
        };
        rest = after;
    }
    if let [TokenTree::Ident(or), value @ ..] = rest
        && or == "or"
    {
        let Some(value) = case_value(value) else {
            d.error_over(
                if value.is_empty() { collect(rest) } else { collect(value) },
                "after `or` stands the value that counts where the request leaves it out",
            )
            .help("a string, a whole number, `true` or `false`: the default that the handler takes itself");
            return None;
        };
        raw.selector.default = Some(value);
        rest = &[];
    }
    if !rest.is_empty() {
        let error = d.error_over(collect(rest), "unexpected after a selector");
        match rest {
            [TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => {
                error.help("what is counted is written around it: `items(body.list)`, `chars(body.text)`, `bytes(body)`")
            }
            _ => error.help(EXAMPLES),
        };
        return None;
    }
    raw.tokens = collect(tokens);
    Some(raw)
}

/// A string, a whole number or a truth value, alone.
pub(super) fn case_value(tokens: &[TokenTree]) -> Option<CaseValue> {
    match tokens {
        [TokenTree::Literal(literal)] => match Lit::new(literal.clone()) {
            Lit::Str(text) if text.suffix().is_empty() => {
                Some(CaseValue::Text(text.value().into()))
            }
            Lit::Int(number) => Some(CaseValue::Integer(number.base10_parse().ok()?)),
            _ => None,
        },
        [TokenTree::Punct(minus), TokenTree::Literal(literal)] if minus.as_char() == '-' => {
            match Lit::new(literal.clone()) {
                Lit::Int(number) => {
                    let text = format!("-{}", number.base10_digits());
                    Some(CaseValue::Integer(text.parse().ok()?))
                }
                _ => None,
            }
        }
        [TokenTree::Ident(word)] if word == "true" => Some(CaseValue::Bool(true)),
        [TokenTree::Ident(word)] if word == "false" => Some(CaseValue::Bool(false)),
        _ => None,
    }
}

type Read<'t> = Option<(RawSelector, &'t [TokenTree])>;

fn measured<'t>(tokens: &'t [TokenTree], d: &mut Diagnostics) -> Read<'t> {
    let measure = |word: &Ident| match word.to_string().as_str() {
        "bytes" => Some(Measure::Bytes),
        "chars" => Some(Measure::Chars),
        "items" => Some(Measure::Items),
        _ => None,
    };
    if let Some((word, group, rest)) = call(tokens)
        && let Some(measure) = measure(word)
    {
        let inner: Vec<TokenTree> = group.stream().into_iter().collect();
        let (mut raw, after) = place(&inner, word.span(), d)?;
        if !after.is_empty() {
            d.error_over(collect(after), format!("unexpected inside of `{word}(…)`"))
                .help(EXAMPLES);
            return None;
        }
        raw.selector.measure = measure;
        return Some((raw, rest));
    }
    place(tokens, Span::call_site(), d)
}

/// The part of the exchange and the place in it.
fn place<'t>(tokens: &'t [TokenTree], outer: Span, d: &mut Diagnostics) -> Read<'t> {
    let [TokenTree::Ident(part), after @ ..] = tokens else {
        let error = if tokens.is_empty() {
            d.error(outer, "nothing is selected here")
        } else {
            d.error_over(collect(tokens), "this is no part of a request")
        };
        error.help(EXAMPLES);
        return None;
    };
    let source = source_of(part, d)?;
    let of_a_body = matches!(source, Source::Body | Source::ResponseBody);
    let (pointer, fields, rest) = match after {
        [TokenTree::Group(group), rest @ ..] if group.delimiter() == Delimiter::Parenthesis => {
            (named(part, &group.stream(), d)?, Vec::new(), rest)
        }
        _ => {
            let (fields, rest) = fields(after);
            let names = fields.iter().map(|field| field.unraw().to_string());
            let pointer = if of_a_body {
                names.map(|name| format!("/{name}")).collect()
            } else {
                names.collect::<Vec<_>>().join(".")
            };
            if !of_a_body && fields.len() != 1 {
                let example = format!("write `{part}.name` or `{part}(\"name\")`");
                d.error_over(collect(tokens), format!("`{part}` is selected by one name"))
                    .help(example);
                return None;
            }
            (pointer, fields, rest)
        }
    };
    if matches!(source, Source::Header | Source::ResponseHeader) && !fields.is_empty() {
        d.error_over(collect(tokens), "the name of a header is a string")
            .help(format!("write `{part}(\"{}\")`", pointer.replace('_', "-")));
        return None;
    }
    let selector = Selector {
        source,
        pointer: pointer.into(),
        measure: Measure::Value,
        divide_by: 1,
        default: None,
    };
    let raw = RawSelector {
        tokens: collect(tokens),
        at: part.span(),
        selector,
        fields,
    };
    Some((raw, rest))
}

/// The part of the exchange that a word names.
fn source_of(part: &Ident, d: &mut Diagnostics) -> Option<Source> {
    let word = part.to_string();
    Some(match word.as_str() {
        "path" => Source::Path,
        "query" => Source::Query,
        "header" => Source::Header,
        "body" => Source::Body,
        "answer" => Source::ResponseBody,
        "answer_header" => Source::ResponseHeader,
        _ => {
            const PARTS: [&str; 6] = ["path", "query", "header", "body", "answer", "answer_header"];
            let instead = match word.as_str() {
                "request" | "json" | "req" | "form" => Some("body"),
                "response" | "reply" => Some("answer"),
                "headers" => Some("header"),
                "params" | "captures" => Some("path"),
                _ => nearest(&word, PARTS),
            };
            d.error(part.span(), format!("`{word}` is no part of a request"))
                .maybe_help(instead.map(|near| format!("did you mean `{near}`?")))
                .help(EXAMPLES);
            return None;
        }
    })
}

/// The string in `header("x-size")`.
fn named(part: &Ident, inner: &TokenStream, d: &mut Diagnostics) -> Option<String> {
    match syn::parse2::<LitStr>(inner.clone()) {
        Ok(text) => Some(text.value()),
        Err(_) => {
            let example = match part.to_string().as_str() {
                "body" | "answer" => "/json/pointer",
                _ => "name",
            };
            d.error(part.span(), format!("`{part}(…)` takes one string literal"))
                .help(format!("write `{part}(\"{example}\")`"));
            None
        }
    }
}

/// `.a.b.c`.
fn fields(mut tokens: &[TokenTree]) -> (Vec<Ident>, &[TokenTree]) {
    let mut fields = Vec::new();
    while let [TokenTree::Punct(dot), TokenTree::Ident(field), rest @ ..] = tokens
        && dot.as_char() == '.'
    {
        // A call such as `.len()` is no field; what is left over is reported.
        fields.push(field.clone());
        tokens = rest;
    }
    (fields, tokens)
}
