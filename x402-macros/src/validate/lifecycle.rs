//! Rules about what will change: days that exist, in an order that makes sense.

use syn::LitStr;
use x402_model::endpoint::{check_replacement, read_instant};

use super::texts::place_in;
use crate::diag::Diagnostics;
use crate::model::{Lifecycle, Priced, ValidDeprecation};
use crate::syntax::attr::RawAttr;
use crate::syntax::lifecycle::RawDeprecation;

/// What the attribute says will change, besides prices. `None` if any of it is wrong.
pub(super) fn check(
    attr: &RawAttr,
    price: Option<&Priced>,
    d: &mut Diagnostics,
) -> Option<Lifecycle> {
    let before = d.count();
    let raw = attr.deprecated.get();
    let deprecation = raw.and_then(|raw| deprecation(raw, d));
    let sunset = deprecation.as_ref().and_then(|one| one.sunset);
    let prices = price.map(|price| price.scheduled.as_slice());
    for (one, written) in prices
        .unwrap_or_default()
        .iter()
        .zip(attr.scheduled.get().into_iter().flatten())
    {
        // Rule: somebody can still pay a price.
        if sunset.is_some_and(|sunset| sunset <= one.from) {
            d.error(
                written.from.span(),
                "this price begins when the endpoint may be gone already",
            )
            .help("leave it out, or set a later sunset");
        }
    }
    (d.count() == before).then_some(Lifecycle { deprecation })
}

/// Rule: an endpoint is deprecated first, and then goes away.
fn deprecation(raw: &RawDeprecation, d: &mut Diagnostics) -> Option<ValidDeprecation> {
    let before = d.count();
    let since = since(&raw.since, d);
    let sunset = raw.sunset.as_ref();
    let end = sunset.and_then(|literal| instant(literal, d));
    if let (Some(since), Some(end), Some(literal)) = (since, end, sunset)
        && end <= since
    {
        let (from, to) = (raw.since.value(), literal.value());
        d.error(
            literal.span(),
            format!("the sunset, {to}, is not after the deprecation, {from}"),
        )
        .help("buyers need time between the two: 30 days at least");
    }
    let replacement = raw.replacement.as_ref().map(|literal| {
        let text = literal.value();
        if let Err(error) = check_replacement(&text) {
            d.error(place_in(literal, &error.span), error.message)
                .maybe_help(error.help);
        }
        text
    });
    if d.count() > before {
        return None;
    }
    Some(ValidDeprecation {
        since: since?,
        sunset: end,
        replacement,
    })
}

/// The day of the deprecation. A version, which Rust's own attribute has in its place, is a likely slip.
fn since(literal: &LitStr, d: &mut Diagnostics) -> Option<u64> {
    let text = literal.value();
    let number = |part: &str| part.len() < 4 && part.parse::<u32>().is_ok();
    if !text.contains('.') || !text.split('.').all(number) {
        return instant(literal, d);
    }
    d.error(
        literal.span(),
        format!("`{text}` is a version, and buyers are told a day"),
    )
    .help("write the day, as in `since(\"2026-12-01\")`")
    .help("Rust's own `#[deprecated(since = \"…\")]`, for callers in Rust, stands on the function beside `#[paid]`");
    None
}

/// Rule: a point of time exists.
pub(super) fn instant(literal: &LitStr, d: &mut Diagnostics) -> Option<u64> {
    match read_instant(&literal.value()) {
        Ok(seconds) => Some(seconds),
        Err(error) => {
            d.error(place_in(literal, &error.span), error.message)
                .maybe_help(error.help);
            None
        }
    }
}
