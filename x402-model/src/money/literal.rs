//! Reads strict decimal literals, says which rule a wrong one breaks and how it is written right.

use super::error::DecimalFault;

/// Most digits of a decimal, before and after the dot together: ten to that power is below 2^128.
pub(super) const MAX_DIGITS: usize = 38;

/// Longest text looked at when a correction is built: foreign input must not cost work in proportion to its size.
const MAX_CORRECTED_BYTES: usize = 128;

/// Splits a strict literal into mantissa and scale, or names the first rule it breaks.
pub(super) fn read(literal: &str) -> Result<(u128, u8), DecimalFault> {
    if let Some(fault) = fault_in(literal) {
        return Err(fault);
    }
    let (_, fraction) = literal.split_once('.').unwrap_or((literal, ""));
    let mantissa = literal
        .bytes()
        .filter(u8::is_ascii_digit)
        .try_fold(0_u128, |sum, digit| {
            sum.checked_mul(10)?
                .checked_add(u128::from(digit.wrapping_sub(b'0')))
        })
        .ok_or(DecimalFault::TooManyDigits)?;
    let scale = u8::try_from(fraction.len()).map_err(|_| DecimalFault::TooManyDigits)?;
    Ok((mantissa, scale))
}

/// The first rule that `literal` breaks, or `None` if it is a strict decimal.
pub(crate) fn fault_in(literal: &str) -> Option<DecimalFault> {
    if literal.is_empty() {
        return Some(DecimalFault::Empty);
    }
    if literal
        .bytes()
        .any(|byte| !byte.is_ascii_digit() && byte != b'.')
    {
        return Some(foreign_character(literal));
    }
    let (whole, fraction) = match literal.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (literal, None),
    };
    let digits = whole.len().saturating_add(fraction.map_or(0, str::len));
    if fraction.is_some_and(|text| text.contains('.')) {
        Some(DecimalFault::ManyDots)
    } else if whole.is_empty() {
        Some(if fraction == Some("") {
            DecimalFault::NotANumber
        } else {
            DecimalFault::LeadingDot
        })
    } else if fraction == Some("") {
        Some(DecimalFault::TrailingDot)
    } else if whole.len() > 1 && whole.starts_with('0') {
        Some(DecimalFault::LeadingZeros)
    } else if digits > MAX_DIGITS {
        Some(DecimalFault::TooManyDigits)
    } else {
        None
    }
}

/// Names the rule behind the first character that no decimal holds.
fn foreign_character(literal: &str) -> DecimalFault {
    if literal.chars().all(char::is_whitespace) {
        return DecimalFault::Empty;
    }
    let odd = literal
        .char_indices()
        .find(|(_, c)| !c.is_ascii_digit() && *c != '.');
    match odd {
        Some((_, c)) if c.is_whitespace() => DecimalFault::Whitespace,
        Some((at, 'e' | 'E')) if at > 0 => DecimalFault::Exponent,
        Some((_, '-' | '+' | '\u{2212}')) => DecimalFault::Sign,
        Some((_, ',')) => DecimalFault::Comma,
        Some((_, '_' | '\'' | '\u{2019}')) => DecimalFault::Separator,
        Some((_, c)) if is_currency_glyph(c) => DecimalFault::CurrencyGlyph,
        _ => DecimalFault::NotANumber,
    }
}

/// Currency signs that people put before or after an amount.
pub(crate) const fn is_currency_glyph(c: char) -> bool {
    matches!(c, '$' | '¢' | '£' | '¤' | '¥' | '\u{20A0}'..='\u{20CF}')
}

/// The same amount as a strict decimal, if the text has exactly one reading.
pub(crate) fn suggestion_for(literal: &str) -> Option<String> {
    if literal.len() > MAX_CORRECTED_BYTES {
        return None;
    }
    let bare: String = literal
        .chars()
        .filter(|c| !is_currency_glyph(*c) && !matches!(c, '_' | '\'' | '\u{2019}'))
        .collect();
    let bare = bare
        .trim()
        .trim_start_matches(['+', '-', '\u{2212}'])
        .trim_start();
    let dotted = without_commas(bare)?;
    let (mantissa, exponent) = match dotted.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i16>().ok()?),
        None => (dotted.as_str(), 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let point = i64::try_from(whole.len())
        .ok()?
        .checked_add(i64::from(exponent))?;
    let text = place_point(&digits, point, mantissa == dotted)?;
    (text != literal && fault_in(&text).is_none()).then_some(text)
}

/// Writes `digits` with the point after `point` of them; `keep_zeros` keeps trailing zeros of a plain literal.
fn place_point(digits: &str, point: i64, keep_zeros: bool) -> Option<String> {
    let limit = i64::try_from(MAX_DIGITS).ok()?;
    if !(-limit..=limit).contains(&point) {
        return None;
    }
    let before = usize::try_from(point.max(0)).ok()?;
    let pad = usize::try_from((-point).max(0)).ok()?;
    let mut padded = format!("{}{digits}", "0".repeat(pad));
    while padded.len() < before {
        padded.push('0');
    }
    let (whole, fraction) = padded.split_at_checked(before)?;
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction = if keep_zeros {
        fraction
    } else {
        fraction.trim_end_matches('0')
    };
    Some(if fraction.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{fraction}")
    })
}

/// Reads commas as thousands separators or as the decimal mark; `None` where both readings are possible (`1,000`).
fn without_commas(text: &str) -> Option<String> {
    if !text.contains(',') {
        return Some(text.to_owned());
    }
    let groups: Vec<&str> = text
        .split('.')
        .next()
        .unwrap_or_default()
        .split(',')
        .collect();
    let (first, rest) = groups.split_first()?;
    let grouped =
        !first.is_empty() && first.len() <= 3 && rest.iter().all(|group| group.len() == 3);
    let has_dot = text.contains('.');
    if grouped && (has_dot || rest.len() > 1) && !first.starts_with('0') {
        return Some(text.replace(',', ""));
    }
    let one_comma = rest.len() == 1 && !has_dot;
    (one_comma && (!grouped || *first == "0")).then(|| text.replace(',', "."))
}
