//! Takes the value that a selector names out of a request: exactly what is there, or the reason why nothing is.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::facts::{Facts, parameters};
use super::json::{self, Found, Kind};
use super::model::CaseValue;
use super::refusal::{PriceError, Wanted};
use super::selector::{Measure, Selector, Source};
use crate::money::Decimal;
use crate::pointer;
use crate::wire::json::within_depth;

/// Longest part of a foreign value that is kept for a message, in characters.
const KEPT_CHARS: usize = 64;

/// Most digits of a number; longer texts are not looked at.
const MAX_NUMBER_BYTES: usize = 64;

/// A value as it stands in the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reading<'a> {
    /// A string of a body.
    Text(Cow<'a, str>),
    /// Text of a path, query or header, which has no types: it may be read as a number or truth value.
    Plain(Cow<'a, str>),
    /// The text of a number of a body.
    Number(Cow<'a, str>),
    /// A truth value of a body.
    Bool(bool),
    /// A count.
    Count(u64),
}

/// A number with its sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signed {
    pub(super) negative: bool,
    pub(super) magnitude: Decimal,
}

/// Reads the value, or its default where it is missing.
pub(super) fn read<'a>(
    selector: &'a Selector,
    wanted: Wanted,
    facts: &'a Facts<'_>,
) -> Result<Reading<'a>, PriceError> {
    let found = match selector.source {
        Source::Path => {
            let named = facts
                .captures
                .iter()
                .filter(|(name, _)| *name == selector.pointer);
            plain(selector, named.map(|(_, value)| Cow::Borrowed(&**value)))?
        }
        Source::Query => {
            let named = parameters(&facts.query, &selector.pointer);
            plain(selector, named.map(Cow::Owned))?
        }
        Source::Header => {
            let lines = facts
                .headers
                .iter()
                .map(|(name, value)| (&**name, &**value));
            header(selector, lines)?
        }
        Source::ResponseHeader => {
            let answer = facts.answer.as_ref().ok_or_else(|| not_read(selector))?;
            header(selector, answer.headers.iter().copied())?
        }
        Source::Body => {
            let bytes = facts.body.as_ref().ok_or_else(|| not_read(selector))?;
            body(selector, wanted, bytes)?
        }
        Source::ResponseBody => {
            let answer = facts.answer.as_ref().ok_or_else(|| not_read(selector))?;
            body(selector, wanted, answer.body)?
        }
    };
    let default = || Some(standing_in(selector.default.as_ref()?, selector.measure));
    found.or_else(default).ok_or_else(|| PriceError::Missing {
        selector: Box::new(selector.clone()),
        wanted,
    })
}

fn not_read(selector: &Selector) -> PriceError {
    PriceError::NotRead {
        selector: Box::new(selector.clone()),
    }
}

fn wrong_type(selector: &Selector, wanted: Wanted, found: &'static str) -> PriceError {
    PriceError::WrongType {
        selector: Box::new(selector.clone()),
        wanted,
        found,
    }
}

/// The default as if it had been sent.
fn standing_in(default: &CaseValue, measure: Measure) -> Reading<'_> {
    match default {
        CaseValue::Text(text) => Reading::Text(Cow::Borrowed(text)),
        CaseValue::Bool(value) => Reading::Bool(*value),
        CaseValue::Integer(number) if measure == Measure::Value => {
            Reading::Number(Cow::Owned(number.to_string()))
        }
        CaseValue::Integer(count) => Reading::Count(u64::try_from(*count).unwrap_or_default()),
    }
}

fn only<T>(
    selector: &Selector,
    mut values: impl Iterator<Item = T>,
) -> Result<Option<T>, PriceError> {
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(PriceError::Repeated {
            selector: Box::new(selector.clone()),
        }),
        (first, None) => Ok(first),
    }
}

fn plain<'a>(
    selector: &Selector,
    values: impl Iterator<Item = Cow<'a, str>>,
) -> Result<Option<Reading<'a>>, PriceError> {
    Ok(only(selector, values)?.map(|text| measured(selector.measure, text, Reading::Plain)))
}

/// A text, or its length.
fn measured<'a>(
    measure: Measure,
    text: Cow<'a, str>,
    as_value: fn(Cow<'a, str>) -> Reading<'a>,
) -> Reading<'a> {
    match measure {
        Measure::Value | Measure::Items => as_value(text),
        Measure::Bytes => Reading::Count(count(text.len())),
        Measure::Chars => Reading::Count(count(text.chars().count())),
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn header<'a>(
    selector: &Selector,
    lines: impl Iterator<Item = (&'a str, &'a [u8])>,
) -> Result<Option<Reading<'a>>, PriceError> {
    let named = lines.filter(|(name, _)| name.eq_ignore_ascii_case(&selector.pointer));
    let Some((_, value)) = only(selector, named)? else {
        return Ok(None);
    };
    let text =
        core::str::from_utf8(value).map_err(|_| wrong_type(selector, Wanted::Text, "no text"))?;
    plain(selector, core::iter::once(Cow::Borrowed(text)))
}

/// A value of a JSON body, or the length of the whole body as it came.
fn body<'a>(
    selector: &Selector,
    wanted: Wanted,
    bytes: &'a [u8],
) -> Result<Option<Reading<'a>>, PriceError> {
    let whole = selector.pointer.is_empty();
    if whole && selector.measure == Measure::Bytes {
        return Ok(Some(Reading::Count(count(bytes.len()))));
    }
    let text = core::str::from_utf8(bytes).map_err(|_| not_json(selector))?;
    if whole && selector.measure == Measure::Chars {
        return Ok(Some(Reading::Count(count(text.chars().count()))));
    }
    if !within_depth(text) {
        return Err(PriceError::TooDeep {
            selector: Box::new(selector.clone()),
        });
    }
    let root: &RawValue = serde_json::from_str(text).map_err(|_| not_json(selector))?;
    match pointed(selector, wanted, root.get())? {
        None => Ok(None),
        Some(value) => of_json(selector, wanted, value),
    }
}

fn not_json(selector: &Selector) -> PriceError {
    PriceError::NotJson {
        selector: Box::new(selector.clone()),
    }
}

/// Follows a JSON pointer. What is missing is `None`; what cannot be followed is an error, never "missing": derived readers
/// fill a struct from an array too, so a value might well be there for the handler.
fn pointed<'t>(
    selector: &Selector,
    wanted: Wanted,
    root: &'t str,
) -> Result<Option<&'t str>, PriceError> {
    let mut value = root;
    for token in pointer::tokens(&selector.pointer) {
        let next = match Kind::of(value) {
            Kind::Object => match json::member(value, &token).ok_or_else(|| not_json(selector))? {
                Found::Repeatedly => {
                    return Err(PriceError::Repeated {
                        selector: Box::new(selector.clone()),
                    });
                }
                Found::Once(next) => Some(next),
                Found::Nowhere => None,
            },
            Kind::Array => {
                let index = index(&token)
                    .ok_or_else(|| wrong_type(selector, Wanted::Object, "inside an array"))?;
                json::element(value, index).ok_or_else(|| not_json(selector))?
            }
            // Members of an object that is itself left out.
            Kind::Null => None,
            other => return Err(wrong_type(selector, wanted, inside(other))),
        };
        match next {
            Some(next) => value = next,
            None => return Ok(None),
        }
    }
    Ok(Some(value))
}

const fn inside(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "inside a string",
        Kind::Number => "inside a number",
        _ => "inside a truth value",
    }
}

/// An array index of RFC 6901: digits without leading zeros.
fn index(token: &str) -> Option<usize> {
    let plain = token.bytes().all(|byte| byte.is_ascii_digit());
    (plain && (token == "0" || !token.starts_with('0')))
        .then(|| token.parse().ok())
        .flatten()
}

fn of_json<'a>(
    selector: &Selector,
    wanted: Wanted,
    value: &'a str,
) -> Result<Option<Reading<'a>>, PriceError> {
    let kind = Kind::of(value);
    Ok(Some(match (selector.measure, kind) {
        (_, Kind::Null) => return Ok(None),
        (Measure::Items, Kind::Array) => {
            let items = json::length(value).ok_or_else(|| not_json(selector))?;
            Reading::Count(count(items))
        }
        (Measure::Value | Measure::Bytes | Measure::Chars, Kind::Text) => {
            let text: String = serde_json::from_str(value).map_err(|_| not_json(selector))?;
            measured(selector.measure, Cow::Owned(text), Reading::Text)
        }
        (Measure::Value, Kind::Number) => Reading::Number(Cow::Borrowed(value)),
        (Measure::Value, Kind::Bool) => Reading::Bool(value == "true"),
        _ => return Err(wrong_type(selector, wanted, kind.as_str())),
    }))
}

impl Reading<'_> {
    /// The value as a number that is exactly what was written.
    pub(super) fn number(&self, selector: &Selector, wanted: Wanted) -> Result<Signed, PriceError> {
        let (text, kind) = match self {
            Self::Count(count) => {
                return Ok(Signed {
                    negative: false,
                    magnitude: Decimal::checked_new(u128::from(*count), 0).unwrap_or(Decimal::ZERO),
                });
            }
            Self::Number(text) => (text, Kind::Number),
            Self::Plain(text) => (text, Kind::Text),
            Self::Text(_) => return Err(wrong_type(selector, wanted, Kind::Text.as_str())),
            Self::Bool(_) => return Err(wrong_type(selector, wanted, Kind::Bool.as_str())),
        };
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, &**text),
        };
        let magnitude = (digits.len() <= MAX_NUMBER_BYTES)
            .then(|| digits.parse::<Decimal>().ok())
            .flatten();
        match magnitude {
            Some(magnitude) => Ok(Signed {
                negative: negative && !magnitude.is_zero(),
                magnitude,
            }),
            None if kind == Kind::Text && !digits.starts_with(|c: char| c.is_ascii_digit()) => {
                Err(wrong_type(selector, wanted, "a text"))
            }
            None => Err(PriceError::NotExact {
                selector: Box::new(selector.clone()),
                given: kept(text),
            }),
        }
    }

    /// The value as a string.
    pub(super) fn text(&self, selector: &Selector) -> Result<&str, PriceError> {
        let found = match self {
            Self::Text(text) | Self::Plain(text) => return Ok(text),
            Self::Bool(_) => Kind::Bool,
            Self::Number(_) | Self::Count(_) => Kind::Number,
        };
        Err(wrong_type(selector, Wanted::Text, found.as_str()))
    }

    /// The value as `true` or `false`.
    pub(super) fn truth(&self, selector: &Selector) -> Result<bool, PriceError> {
        let found = match self {
            Self::Bool(value) => return Ok(*value),
            Self::Plain(text) if text == "true" => return Ok(true),
            Self::Plain(text) if text == "false" => return Ok(false),
            Self::Plain(_) => "another text",
            Self::Text(_) => Kind::Text.as_str(),
            Self::Number(_) | Self::Count(_) => Kind::Number.as_str(),
        };
        Err(wrong_type(selector, Wanted::Bool, found))
    }

    /// The value as it is repeated in a message.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Text(text) | Self::Plain(text) | Self::Number(text) => kept(text),
            Self::Bool(value) => value.to_string(),
            Self::Count(count) => count.to_string(),
        }
    }
}

fn kept(text: &str) -> String {
    text.chars().take(KEPT_CHARS).collect()
}
