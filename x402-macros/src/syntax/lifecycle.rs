//! Reads what stands after `deprecated =` and `scheduled =`: what will change, and when.

use proc_macro2::{Span, TokenTree};
use syn::LitStr;

use super::keys::Key;
use super::parts::{self, bracketed, collect};
use super::price::{self, RawPrice, Words, call};
use crate::diag::Diagnostics;

/// `since("2026-12-01", sunset = "2027-03-01", replacement = "weather_v2")`.
#[derive(Debug)]
pub(crate) struct RawDeprecation {
    pub(crate) since: LitStr,
    pub(crate) sunset: Option<LitStr>,
    pub(crate) replacement: Option<LitStr>,
}

/// `price("0.02 USDC", from = "2027-01-15", announced = "2026-12-20", reason = "…")`.
#[derive(Debug)]
pub(crate) struct RawScheduled {
    pub(crate) at: Span,
    pub(crate) price: RawPrice,
    pub(crate) from: LitStr,
    pub(crate) announced: Option<LitStr>,
    pub(crate) reason: Option<LitStr>,
}

/// A list of prices that will hold.
pub(crate) fn scheduled(value: &[TokenTree], d: &mut Diagnostics) -> Option<Vec<RawScheduled>> {
    let example = Key::Scheduled.example();
    let [list, rest @ ..] = value else {
        return None;
    };
    let Some(list) = bracketed(list) else {
        d.error_over(collect(value), "`scheduled` is a list")
            .help(format!("write `{example}`"));
        return None;
    };
    parts::report_rest(rest, "the value of `scheduled`", d);
    let before = d.count();
    let prices: Vec<RawScheduled> = parts::split(list.stream(), d)
        .iter()
        .filter_map(|part| scheduled_price(part, d))
        .collect();
    if d.count() == before && prices.is_empty() {
        d.error(list.span(), "`scheduled` names no price")
            .help("leave it out while no change is planned");
    }
    (d.count() == before).then_some(prices)
}

fn scheduled_price(part: &[TokenTree], d: &mut Diagnostics) -> Option<RawScheduled> {
    let example = Key::Scheduled.example();
    let Some((word, group, rest)) = call(part).filter(|(word, ..)| *word == "price") else {
        d.error_over(collect(part), "what is scheduled is `price(…)`")
            .help(format!("for example `{example}`"));
        return None;
    };
    parts::report_rest(rest, "`price(…)`", d);
    let before = d.count();
    let mut words = Words::new("price", example);
    let (mut price, mut from, mut announced, mut reason) = (None, None, None, None);
    for (place, part) in parts::split(group.stream(), d).iter().enumerate() {
        let is_price = call(part).is_some() || matches!(part.as_slice(), [TokenTree::Literal(_)]);
        if place == 0 && is_price {
            price = price::price(part, d);
            continue;
        }
        let Some((key, value)) = words.entry(part, &["from", "announced", "reason"], d) else {
            continue;
        };
        let slot = match key.as_str() {
            "from" => &mut from,
            "announced" => &mut announced,
            _ => &mut reason,
        };
        *slot = words.string(&key, value, d);
    }
    if d.count() == before && (price.is_none() || from.is_none()) {
        let lacks = match price {
            None => "begins with what a call will cost",
            Some(_) => "lacks the day from which it holds",
        };
        d.error(word.span(), format!("this price {lacks}"))
            .help(format!("for example `{example}`"));
    }
    if d.count() > before {
        return None;
    }
    Some(RawScheduled {
        at: word.span(),
        price: price?,
        from: from?,
        announced,
        reason,
    })
}

/// That an endpoint goes away.
pub(crate) fn deprecated(value: &[TokenTree], d: &mut Diagnostics) -> Option<RawDeprecation> {
    let example = Key::Deprecated.example();
    let Some((word, group, rest)) = call(value).filter(|(word, ..)| *word == "since") else {
        let error = d.error_over(collect(value), "`deprecated` is `since(\"…\")` with a day");
        match value {
            [TokenTree::Literal(day)] => error.help(format!("write `deprecated = since({day})`")),
            _ => error.help(format!("for example `{example}`")),
        };
        return None;
    };
    parts::report_rest(rest, "`since(…)`", d);
    let before = d.count();
    let mut words = Words::new("since", example);
    let (mut since, mut sunset, mut replacement) = (None, None, None);
    for (place, part) in parts::split(group.stream(), d).iter().enumerate() {
        if place == 0
            && let [TokenTree::Literal(_)] = part.as_slice()
        {
            since = words.string("since", part, d);
            continue;
        }
        if is_note(part) {
            rusts_own(part, d);
            continue;
        }
        match words.entry(part, &["sunset", "replacement"], d) {
            Some((key, value)) if key == "sunset" => sunset = words.string(&key, value, d),
            Some((key, value)) => replacement = words.string(&key, value, d),
            None => {}
        }
    }
    if d.count() == before && since.is_none() {
        no_day(word.span(), example, d);
    }
    if d.count() > before {
        return None;
    }
    Some(RawDeprecation {
        since: since?,
        sunset,
        replacement,
    })
}

fn no_day(at: Span, example: &str, d: &mut Diagnostics) {
    d.error(at, "`since` begins with the day from which buyers are told")
        .help(format!("for example `{example}`"));
}

fn is_note(part: &[TokenTree]) -> bool {
    matches!(part, [TokenTree::Ident(word), ..] if word == "note" || word == "suggestion")
}

/// What belongs into the attribute that Rust has.
fn rusts_own(part: &[TokenTree], d: &mut Diagnostics) {
    d.error_over(
        collect(part),
        "a note is for callers in Rust, and this is for buyers",
    )
    .help("Rust's own `#[deprecated(note = \"…\")]` stands on the function, beside `#[paid]`")
    .help("buyers are told what to use instead with `replacement = \"…\"`");
}
