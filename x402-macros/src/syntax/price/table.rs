//! Reads `tiers(…)` and `volume(…)`: selectors, and what each value costs.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use syn::{Lit, LitStr};
use x402_model::money::Decimal;
use x402_model::price::{CaseValue, Combine};

use super::selector::{self, RawSelector};
use super::{call, selector::case_value};
use crate::diag::Diagnostics;
use crate::syntax::parts::{self, collect, is_punct};

/// `tiers(by = …, … => "…", …)`.
#[derive(Debug)]
pub(crate) struct RawTiers {
    pub(crate) at: Span,
    pub(crate) combine: Option<Combine>,
    pub(crate) dimensions: Vec<RawDimension>,
}

/// One `by = …` and the entries that follow it.
#[derive(Debug)]
pub(crate) struct RawDimension {
    pub(crate) by: RawSelector,
    pub(crate) entries: Vec<RawEntry>,
}

/// `"fast" => "0.01 USDC"`.
#[derive(Debug)]
pub(crate) struct RawEntry {
    /// What stands before the arrow.
    pub(crate) tokens: TokenStream,
    pub(crate) key: RawKey,
    pub(crate) charge: LitStr,
}

/// What an entry is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RawKey {
    Case(CaseValue),
    /// Up to a number, that number included, or to the end.
    Band(Option<Decimal>),
}

/// `volume("30d", 1_000 => "x0.5")`.
#[derive(Debug)]
pub(crate) struct RawVolume {
    pub(crate) at: Span,
    pub(crate) window: LitStr,
    /// What has to be bought before, and the factor from there on.
    pub(crate) steps: Vec<RawStep>,
}

#[derive(Debug)]
pub(crate) struct RawStep {
    pub(crate) tokens: TokenStream,
    pub(crate) after: RawAfter,
    pub(crate) factor: LitStr,
}

/// So many calls, or so much money.
#[derive(Debug)]
pub(crate) enum RawAfter {
    Calls(u64),
    Spend(LitStr),
}

const EXAMPLE: &str = r#"tiers(by = body.quality, "fast" => "0.01 USDC", "best" => "0.50 USDC")"#;

/// Tiers. Everything that can be read is; what cannot is reported.
pub(super) fn tiers(word: &Ident, group: &Group, d: &mut Diagnostics) -> Option<RawTiers> {
    let before = d.count();
    let mut tiers = RawTiers {
        at: word.span(),
        combine: None,
        dimensions: Vec::new(),
    };
    for part in parts::split(group.stream(), d) {
        match part.as_slice() {
            [TokenTree::Ident(word)] if word == "multiply" || word == "add" => {
                let combine = if word == "add" {
                    Combine::Sum
                } else {
                    Combine::Multiply
                };
                if tiers.combine.replace(combine).is_some() || !tiers.dimensions.is_empty() {
                    d.error(
                        word.span(),
                        "`multiply` or `add` stands once, before the first `by`",
                    );
                }
            }
            [TokenTree::Ident(by), TokenTree::Punct(equals), value @ ..]
                if by == "by" && is_punct(equals, '=') =>
            {
                // A selector that cannot be read is reported, and its entries are still looked at.
                let by = selector::read(value, d);
                tiers.dimensions.push(RawDimension {
                    by: by.unwrap_or_else(nowhere),
                    entries: Vec::new(),
                });
            }
            part => {
                let entry = entry(part, d);
                match (tiers.dimensions.last_mut(), entry) {
                    (Some(dimension), Some(entry)) => dimension.entries.push(entry),
                    (None, Some(_)) => {
                        d.error_over(collect(part), "nothing says what this is compared with")
                            .help(format!("begin with `by = …`: `{EXAMPLE}`"));
                    }
                    (_, None) => {}
                }
            }
        }
    }
    if d.count() == before && tiers.dimensions.is_empty() {
        d.error(word.span(), "`tiers` is empty").help(format!(
            "say what decides and what each value costs: `{EXAMPLE}`"
        ));
    }
    (d.count() == before).then_some(tiers)
}

/// Stands for a selector that was reported.
fn nowhere() -> RawSelector {
    use x402_model::price::{Selector, Source};
    RawSelector {
        tokens: TokenStream::new(),
        at: Span::call_site(),
        selector: Selector::at(Source::Body, ""),
        fields: Vec::new(),
    }
}

/// The parts before and after `=>`.
fn at_arrow(part: &[TokenTree]) -> Option<(&[TokenTree], &[TokenTree])> {
    let place = part.windows(2).position(|pair| {
        matches!(pair, [TokenTree::Punct(equals), TokenTree::Punct(more)]
            if equals.as_char() == '=' && more.as_char() == '>')
    })?;
    let (key, rest) = part.split_at_checked(place)?;
    Some((key, rest.get(2..)?))
}

fn entry(part: &[TokenTree], d: &mut Diagnostics) -> Option<RawEntry> {
    let Some((key, charge)) = at_arrow(part) else {
        d.error_over(collect(part), "a tier is a value, `=>` and its price")
            .help("for example `\"fast\" => \"0.01 USDC\"` or `..=1_000 => \"0.01 USDC\"`");
        return None;
    };
    let charge = string(charge, part, "the price of a tier is a string literal", d);
    let read = read_key(key, d)?;
    Some(RawEntry {
        tokens: collect(key),
        key: read,
        charge: charge?,
    })
}

fn string(
    tokens: &[TokenTree],
    whole: &[TokenTree],
    message: &str,
    d: &mut Diagnostics,
) -> Option<LitStr> {
    if let [TokenTree::Literal(literal)] = tokens
        && let Lit::Str(text) = Lit::new(literal.clone())
        && text.suffix().is_empty()
    {
        return Some(text);
    }
    let at = if tokens.is_empty() { whole } else { tokens };
    d.error_over(collect(at), message)
        .help("an amount such as `\"0.01 USDC\"`, or a factor such as `\"x3\"`");
    None
}

fn read_key(key: &[TokenTree], d: &mut Diagnostics) -> Option<RawKey> {
    if let Some(value) = case_value(key) {
        return Some(RawKey::Case(value));
    }
    let is = |token: Option<&TokenTree>, wanted| matches!(token, Some(TokenTree::Punct(mark)) if mark.as_char() == wanted);
    let dots = |at: usize| is(key.get(at), '.') && is(key.get(at.saturating_add(1)), '.');
    match key {
        [_, _] if dots(0) => return Some(RawKey::Band(None)),
        [_, _, equals, TokenTree::Literal(end)]
            if dots(0)
                && is(Some(equals), '=')
                && let Some(end) = number(end) =>
        {
            return Some(RawKey::Band(Some(end)));
        }
        [_, _, TokenTree::Literal(end)] if dots(0) => {
            d.error_over(collect(key), "a band holds its upper end")
                .help(format!(
                    "write `..={end}`; for whole numbers below {end}, write the one before it"
                ));
        }
        [TokenTree::Literal(_), _, _, rest @ ..] if dots(1) => {
            let error = d.error_over(collect(key), "a band begins where the one before it ends");
            match rest {
                [TokenTree::Literal(end)] | [_, TokenTree::Literal(end)] => {
                    error.help(format!("write `..={end}`"))
                }
                _ => error.help("write `..`"),
            };
        }
        [TokenTree::Ident(word)] if word == "_" => {
            d.error(
                word.span(),
                "every value with a price is listed: there is no rest",
            )
            .help("requests with other values are refused; of numbers, the rest is `..`");
        }
        [] => {
            d.error(Span::call_site(), "nothing stands before `=>`");
        }
        _ => {
            d.error_over(collect(key), "this is no value that a request can have")
                .help("values are strings, whole numbers, `true` and `false`; bands of numbers are `..=1_000`, and `..` for the rest");
        }
    }
    None
}

/// A number without sign and exponent.
fn number(literal: &proc_macro2::Literal) -> Option<Decimal> {
    literal.to_string().replace('_', "").parse().ok()
}

const VOLUME: &str = r#"rebate = volume("30d", 1_000 => "x0.5")"#;

/// `volume("30d", …)`.
pub(crate) fn volume(value: &[TokenTree], d: &mut Diagnostics) -> Option<RawVolume> {
    let Some((word, group, rest)) = call(value).filter(|(word, ..)| *word == "volume") else {
        d.error_over(collect(value), "`rebate` is `volume(…)`")
            .help(format!("for example `{VOLUME}`"));
        return None;
    };
    parts::report_rest(rest, "the value of `rebate`", d);
    let parts = parts::split(group.stream(), d);
    let Some((window, steps)) = parts.split_first() else {
        d.error(word.span(), "`volume` is empty")
            .help(format!("for example `{VOLUME}`"));
        return None;
    };
    let [TokenTree::Literal(literal)] = window.as_slice() else {
        d.error_over(
            collect(window),
            "`volume` begins with the time in which calls are counted",
        )
        .help(format!("for example `{VOLUME}`"));
        return None;
    };
    let Lit::Str(window) = Lit::new(literal.clone()) else {
        d.error(literal.span(), "a time is a string such as `\"30d\"`")
            .help(format!("for example `{VOLUME}`"));
        return None;
    };
    let steps: Vec<RawStep> = steps.iter().filter_map(|part| step(part, d)).collect();
    Some(RawVolume {
        at: word.span(),
        window,
        steps,
    })
}

fn step(part: &[TokenTree], d: &mut Diagnostics) -> Option<RawStep> {
    let read = at_arrow(part).and_then(|(after, factor)| {
        let after = match after {
            [TokenTree::Literal(literal)] => match Lit::new(literal.clone()) {
                Lit::Int(calls) => (RawAfter::Calls(calls.base10_parse().ok()?), collect(after)),
                Lit::Str(spend) => (RawAfter::Spend(spend), collect(after)),
                _ => return None,
            },
            _ => return None,
        };
        Some((after, factor))
    });
    let Some(((after, tokens), factor)) = read else {
        d.error_over(
            collect(part),
            "a rebate is what was bought before, `=>` and a factor",
        )
        .help(format!("after a thousand calls: `{VOLUME}`"))
        .help("after a hundred dollars: `rebate = volume(\"30d\", \"100 USDC\" => \"x0.8\")`");
        return None;
    };
    let factor = string(
        factor,
        part,
        "the factor of a rebate is a string literal",
        d,
    )?;
    Some(RawStep {
        tokens,
        after,
        factor,
    })
}
