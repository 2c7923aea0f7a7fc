//! Writes a refused price literal right, where it has exactly one reading. Used for help texts only, never to charge.

use super::parse::{MAX_LITERAL_BYTES, is_symbol};
use crate::money::{fault_in, is_currency_glyph, suggestion_for};

/// Splits at the end of the longest beginning that may have been meant as an amount.
pub(super) fn split_amount(literal: &str) -> (&str, &str) {
    let in_amount =
        |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '_' | '\'' | '\u{2019}');
    let signed = |c: char| matches!(c, '+' | '-' | '\u{2212}');
    let mut end = 0;
    for (at, c) in literal.char_indices() {
        let leading = at == 0 && (signed(c) || is_currency_glyph(c));
        let after_glyph = end == at
            && signed(c)
            && literal
                .chars()
                .take_while(|c| is_currency_glyph(*c))
                .map(char::len_utf8)
                .sum::<usize>()
                == at;
        if !(leading || after_glyph || in_amount(c)) {
            break;
        }
        end = at.saturating_add(c.len_utf8());
    }
    let rest = literal.get(end..).unwrap_or_default();
    let exponent = exponent_len(rest);
    if end > 0 && exponent > 0 {
        end = end.saturating_add(exponent);
    }
    literal.split_at_checked(end).unwrap_or((literal, ""))
}

/// Length of an exponent such as `e-2` at the beginning of `text`, if nothing of a word follows it.
fn exponent_len(text: &str) -> usize {
    let Some(after) = text.strip_prefix(['e', 'E']) else {
        return 0;
    };
    let digits = after.strip_prefix(['+', '-']).unwrap_or(after);
    let rest = digits.trim_start_matches(|c: char| c.is_ascii_digit());
    let ends = rest.is_empty() || rest.starts_with(char::is_whitespace);
    if rest.len() < digits.len() && ends {
        text.len().saturating_sub(rest.len())
    } else {
        0
    }
}

/// Splits `USDC 1` into unit and amount. Without a blank there is no telling: `USD1` is a token.
pub(super) fn unit_first(literal: &str) -> Option<(&str, &str)> {
    let (unit, amount) = literal.split_once(char::is_whitespace)?;
    let amount = amount.trim_start();
    let numeric = fault_in(amount).is_none() || suggestion_for(amount).is_some();
    let starts = amount.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    (is_symbol(unit) && starts && numeric).then_some((unit, amount))
}

/// The literal written right, or `None`.
pub(super) fn price_literal(literal: &str) -> Option<String> {
    if literal.len() > MAX_LITERAL_BYTES {
        return None;
    }
    let text = literal.trim();
    let (unit, amount) = match unit_first(text) {
        Some(parts) => parts,
        None => {
            let (amount, unit) = split_amount(text);
            (unit.trim(), amount.trim())
        }
    };
    // The tugrik sign is part of a token's symbol. A dollar sign says the unit; other currency signs name money that no price is in.
    let mut glyphs = text
        .chars()
        .filter(|c| is_currency_glyph(*c) && *c != '\u{20AE}');
    let dollar = match glyphs.next() {
        None => false,
        Some('$') if glyphs.next().is_none() => true,
        Some(_) => return None,
    };
    let unit = match unit.trim_matches('$').trim() {
        "" if !amount.is_empty() => "USD",
        unit if is_symbol(unit) && (!dollar || unit.to_ascii_uppercase().starts_with("USD")) => {
            unit
        }
        _ => return None,
    };
    let amount = if fault_in(amount).is_none() {
        amount.to_owned()
    } else {
        suggestion_for(amount)?
    };
    let right = format!("{amount} {unit}");
    let zero = amount.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    (right != literal && !zero).then_some(right)
}
