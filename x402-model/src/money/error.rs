//! Errors of money literals and conversions: each names what was written and how to write it right.

use core::fmt;

/// Longest part of a foreign literal that an error repeats, in characters.
const QUOTED_CHARS: usize = 64;

/// Quotes a foreign literal for a message: control characters escaped, length bounded.
pub(crate) fn quote(literal: &str) -> String {
    let mut shown: String = literal.chars().take(QUOTED_CHARS).collect();
    if shown.len() < literal.len() {
        shown.push('…');
    }
    format!(
        "`{}`",
        shown
            .escape_debug()
            .to_string()
            .replace("\\'", "'")
            .replace("\\\"", "\"")
    )
}

/// What is wrong with a decimal literal. Stable: callers may match on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecimalFault {
    /// Nothing was written.
    Empty,
    /// Blanks before, after or inside the digits.
    Whitespace,
    /// A `+` or `-`: amounts have no sign.
    Sign,
    /// A currency glyph such as `$` or `€`.
    CurrencyGlyph,
    /// Scientific notation such as `1e-2`.
    Exponent,
    /// A comma, used as decimal mark or thousands separator.
    Comma,
    /// An underscore or another digit group separator.
    Separator,
    /// No digit before the dot (`.5`).
    LeadingDot,
    /// No digit after the dot (`5.`).
    TrailingDot,
    /// More than one dot.
    ManyDots,
    /// Zeros before the first digit (`00.1`, `01`).
    LeadingZeros,
    /// More digits than [`Decimal::MAX_DIGITS`](super::Decimal::MAX_DIGITS).
    TooManyDigits,
    /// Anything else: letters, other scripts' digits, `NaN`.
    NotANumber,
}

impl fmt::Display for DecimalFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "no amount is written",
            Self::Whitespace => "an amount holds no blanks",
            Self::Sign => "an amount has no sign",
            Self::CurrencyGlyph => "an amount has no currency glyph",
            Self::Exponent => "an amount has no exponent",
            Self::Comma => {
                "an amount has no comma: the decimal mark is a dot and thousands are not separated"
            }
            Self::Separator => "digits are not grouped",
            Self::LeadingDot => "a digit must stand before the dot",
            Self::TrailingDot => "a digit must stand after the dot",
            Self::ManyDots => "an amount has at most one dot",
            Self::LeadingZeros => "an amount has no leading zeros",
            Self::TooManyDigits => "an amount has at most 38 digits",
            Self::NotANumber => "an amount is written with the digits 0-9 and at most one dot",
        })
    }
}

/// A money literal or a conversion that was refused. Nothing was rounded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// The text is not a strict decimal.
    #[error("{} is not an amount: {fault}{}", quote(literal), write_instead(suggestion.as_deref()))]
    Malformed {
        /// What was written.
        literal: String,
        /// Which rule it breaks.
        fault: DecimalFault,
        /// The same amount written right, where there is only one reading.
        suggestion: Option<String>,
    },
    /// The decimal has more places than the asset, so it is no whole number of atomic units.
    #[error(
        "{amount} cannot be paid exactly with {decimals} decimals: write at most {decimals} digits after the dot \
         (the smallest amount is {smallest})"
    )]
    TooPrecise {
        /// The decimal as written.
        amount: String,
        /// Decimals of the asset.
        decimals: u8,
        /// The smallest amount of the asset, as a decimal.
        smallest: String,
    },
    /// The value does not fit: an unsigned 256-bit integer for atomic amounts, 38 digits for decimals.
    #[error("{} is too large for an amount: use a smaller number", quote(literal))]
    Overflow {
        /// What was written or computed.
        literal: String,
    },
    /// The text is not a canonical atomic amount: ASCII digits without sign, dot or leading zeros.
    #[error(
        "{} is not an atomic amount: write a whole number in digits 0-9 without leading zeros",
        quote(literal)
    )]
    NotAtomic {
        /// What was written.
        literal: String,
    },
}

fn write_instead(suggestion: Option<&str>) -> String {
    suggestion
        .map(|text| format!("; write {}", quote(text)))
        .unwrap_or_default()
}
