//! Reads what stands after `deprecated =`: what will change, and when.

use proc_macro2::{Span, TokenTree};
use syn::LitStr;

use super::keys::Key;
use super::parts::{self, collect};
use super::price::{Words, call};
use crate::diag::Diagnostics;

/// `since("2026-12-01", sunset = "2027-03-01", replacement = "weather_v2")`.
#[derive(Debug)]
pub(crate) struct RawDeprecation {
    pub(crate) since: LitStr,
    pub(crate) sunset: Option<LitStr>,
    pub(crate) replacement: Option<LitStr>,
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
