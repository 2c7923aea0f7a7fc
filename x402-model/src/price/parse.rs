//! Reads price literals strictly and finds the place of the first broken rule.

use core::ops::Range;
use std::borrow::Cow;

use super::error::{PriceErrorCode, PriceParseError};
use super::expr::{Price, PriceUnit};
use super::guess;
use crate::asset::known_symbols;
use crate::money::{DecimalFault, fault_in, is_currency_glyph};

/// Longest price literal looked at, in bytes.
pub const MAX_LITERAL_BYTES: usize = 128;

/// Most characters of an asset symbol.
const MAX_SYMBOL_CHARS: usize = 16;

/// Least likeness at which a known symbol is offered as correction.
const LIKENESS: f64 = 0.6;

/// Whether `text` is written like an asset symbol: a letter, then up to 15 letters, digits, `.`, `-` or `₮`.
///
/// ```
/// # use x402_model::price::is_symbol;
/// assert!(is_symbol("USDC.e") && is_symbol("USDT0") && is_symbol("mUSD") && is_symbol("USD₮0"));
/// assert!(!is_symbol("0x") && !is_symbol("US DC") && !is_symbol(""));
/// ```
#[must_use]
pub fn is_symbol(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '\u{20AE}');
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(inner)
        && text.chars().count() <= MAX_SYMBOL_CHARS
}

/// The well-known asset symbol most like `symbol`, or `None` if it is one or none is near.
///
/// ```
/// # use x402_model::price::known_symbol_suggestion;
/// assert_eq!(known_symbol_suggestion("UDSC"), Some("USDC"));
/// assert_eq!(known_symbol_suggestion("usdc"), None);
/// assert_eq!(known_symbol_suggestion("WETH"), None);
/// ```
#[must_use]
pub fn known_symbol_suggestion(symbol: &str) -> Option<&'static str> {
    if symbol.len() > MAX_LITERAL_BYTES {
        return None;
    }
    let symbols = known_symbols();
    let upper = symbol.to_ascii_uppercase();
    if upper == "USD"
        || symbols
            .iter()
            .any(|known| known.eq_ignore_ascii_case(symbol))
    {
        return None;
    }
    symbols
        .into_iter()
        .map(|known| {
            (
                strsim::normalized_damerau_levenshtein(&upper, &known.to_ascii_uppercase()),
                known,
            )
        })
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        // `max_by` keeps the last of equals; the table's first is the likelier one.
        .rev()
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, known)| known)
}

/// Reads a whole literal.
pub(super) fn price(literal: &str, zero_allowed: bool) -> Result<Price, PriceParseError> {
    let refuse = |code, span| {
        Err(PriceParseError::new(
            code,
            literal,
            span,
            guess::price_literal(literal),
        ))
    };
    if literal.len() > MAX_LITERAL_BYTES {
        return refuse(PriceErrorCode::TooLong, 0..literal.len());
    }
    match split(literal) {
        Err((code, span)) => refuse(code, span),
        Ok((amount, unit)) => {
            let Ok(amount) = amount.parse::<crate::money::Decimal>() else {
                return refuse(PriceErrorCode::NotANumber, 0..amount.len());
            };
            if amount.is_zero() && !zero_allowed {
                return Err(PriceParseError::new(
                    PriceErrorCode::Zero,
                    literal,
                    0..literal.len(),
                    None,
                ));
            }
            Ok(Price {
                amount,
                unit: unit_of(unit),
            })
        }
    }
}

fn unit_of(text: &str) -> PriceUnit {
    if text.eq_ignore_ascii_case("USD") {
        PriceUnit::Usd
    } else {
        PriceUnit::Symbol(Cow::Owned(text.to_owned()))
    }
}

type Broken = (PriceErrorCode, Range<usize>);

/// Splits a strict literal into amount and unit, or names the first broken rule and its place.
fn split(literal: &str) -> Result<(&str, &str), Broken> {
    let end = literal.len();
    let lead = end.saturating_sub(literal.trim_start().len());
    if lead == end {
        return Err((PriceErrorCode::Empty, 0..end));
    }
    if lead > 0 {
        return Err((PriceErrorCode::Whitespace, 0..lead));
    }
    let used = literal.trim_end().len();
    if used < end {
        return Err((PriceErrorCode::Whitespace, used..end));
    }
    let Some((amount, unit)) = literal.split_once(' ') else {
        return Err(unspaced(literal));
    };
    if let Some(fault) = fault_in(amount) {
        return Err(amount_fault(literal, amount, fault));
    }
    let start = amount.len().saturating_add(1);
    let blanks = unit.len().saturating_sub(unit.trim_start().len());
    if blanks > 0 {
        return Err((
            PriceErrorCode::Whitespace,
            amount.len()..start.saturating_add(blanks),
        ));
    }
    if !is_symbol(unit) {
        return Err((unit_fault(unit), start..end));
    }
    Ok((amount, unit))
}

fn unit_fault(unit: &str) -> PriceErrorCode {
    if unit.chars().any(is_currency_glyph) && !unit.starts_with(|c: char| c.is_ascii_alphabetic()) {
        PriceErrorCode::CurrencyGlyph
    } else if unit.chars().any(char::is_whitespace) {
        PriceErrorCode::Whitespace
    } else {
        PriceErrorCode::BadUnit
    }
}

/// What is wrong with a literal that holds no space: the unit is missing, glued on, or there is no amount.
fn unspaced(literal: &str) -> Broken {
    let all = 0..literal.len();
    if fault_in(literal).is_none() {
        return (PriceErrorCode::MissingUnit, literal.len()..literal.len());
    }
    let (amount, unit) = guess::split_amount(literal);
    if let Some(at) = unit.find(char::is_whitespace).filter(|at| *at == 0) {
        let blanks = unit.len().saturating_sub(unit.trim_start().len());
        return (
            PriceErrorCode::Whitespace,
            amount.len()..amount.len().saturating_add(at).saturating_add(blanks),
        );
    }
    match fault_in(amount) {
        None if unit.starts_with(is_currency_glyph) => {
            (PriceErrorCode::CurrencyGlyph, amount.len()..literal.len())
        }
        None if is_symbol(unit) => (PriceErrorCode::MissingSpace, amount.len()..literal.len()),
        None => (PriceErrorCode::BadUnit, amount.len()..literal.len()),
        Some(DecimalFault::Empty) if is_symbol(literal) && !literal.eq_ignore_ascii_case("nan") => {
            (PriceErrorCode::MissingAmount, all)
        }
        Some(DecimalFault::Empty) => amount_fault(
            literal,
            literal,
            fault_in(literal).unwrap_or(DecimalFault::NotANumber),
        ),
        Some(fault) => amount_fault(literal, amount, fault),
    }
}

/// Finds the place of a fault inside the amount, which is the beginning of the literal.
fn amount_fault(literal: &str, amount: &str, fault: DecimalFault) -> Broken {
    let code = PriceErrorCode::from(fault);
    if code == PriceErrorCode::NotANumber && guess::unit_first(literal).is_some() {
        return (PriceErrorCode::UnitFirst, 0..literal.len());
    }
    let wanted = |c: char| match fault {
        DecimalFault::Sign => matches!(c, '+' | '-' | '\u{2212}'),
        DecimalFault::CurrencyGlyph => is_currency_glyph(c),
        DecimalFault::Comma => c == ',',
        DecimalFault::Exponent => matches!(c, 'e' | 'E'),
        DecimalFault::Separator => matches!(c, '_' | '\'' | '\u{2019}'),
        DecimalFault::LeadingDot | DecimalFault::TrailingDot => c == '.',
        _ => false,
    };
    let span = match amount.char_indices().find(|(_, c)| wanted(*c)) {
        Some((at, _)) if fault == DecimalFault::Exponent => at..amount.len(),
        Some((at, c)) => at..at.saturating_add(c.len_utf8()),
        None => 0..amount.len(),
    };
    (code, span)
}
