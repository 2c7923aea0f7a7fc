//! Refused price literals: a stable code, the place, a sentence and a correction.

use core::fmt;
use core::ops::Range;

use crate::money::{DecimalFault, quote};

/// Which rule of the price grammar a literal breaks. Stable: messages may change, codes do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PriceErrorCode {
    /// Nothing is written.
    Empty,
    /// Longer than any price.
    TooLong,
    /// Blanks other than the one space between amount and unit.
    Whitespace,
    /// An amount without a unit.
    MissingUnit,
    /// A unit without an amount.
    MissingAmount,
    /// No space between amount and unit.
    MissingSpace,
    /// The unit stands before the amount.
    UnitFirst,
    /// A currency glyph such as `$` or `€`.
    CurrencyGlyph,
    /// A sign.
    Sign,
    /// Scientific notation.
    Exponent,
    /// A comma.
    Comma,
    /// Grouped digits.
    Separator,
    /// No digit before the dot.
    LeadingDot,
    /// No digit after the dot.
    TrailingDot,
    /// More than one dot.
    ManyDots,
    /// Zeros before the first digit.
    LeadingZeros,
    /// More than 38 digits.
    TooManyDigits,
    /// The amount is no decimal at all.
    NotANumber,
    /// The unit is neither `USD` nor written like an asset symbol.
    BadUnit,
    /// The price is zero.
    Zero,
}

impl PriceErrorCode {
    /// The code in snake case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too_long",
            Self::Whitespace => "whitespace",
            Self::MissingUnit => "missing_unit",
            Self::MissingAmount => "missing_amount",
            Self::MissingSpace => "missing_space",
            Self::UnitFirst => "unit_first",
            Self::CurrencyGlyph => "currency_glyph",
            Self::Sign => "sign",
            Self::Exponent => "exponent",
            Self::Comma => "comma",
            Self::Separator => "separator",
            Self::LeadingDot => "leading_dot",
            Self::TrailingDot => "trailing_dot",
            Self::ManyDots => "many_dots",
            Self::LeadingZeros => "leading_zeros",
            Self::TooManyDigits => "too_many_digits",
            Self::NotANumber => "not_a_number",
            Self::BadUnit => "bad_unit",
            Self::Zero => "zero",
        }
    }

    /// The rule, as the end of "`…` is not a price: …".
    const fn rule(self) -> &'static str {
        match self {
            Self::Empty => "nothing is written",
            Self::TooLong => "it is too long",
            Self::Whitespace => {
                "exactly one space stands between amount and unit, and no other blanks"
            }
            Self::MissingUnit => "the unit is missing",
            Self::MissingAmount => "the amount is missing",
            Self::MissingSpace => "one space must stand between amount and unit",
            Self::UnitFirst => "the amount stands before the unit",
            Self::CurrencyGlyph => "units are words, not currency glyphs",
            Self::Sign => "a price has no sign",
            Self::Exponent => "an amount has no exponent",
            Self::Comma => "the decimal mark is a dot, and thousands are not separated",
            Self::Separator => "digits are not grouped",
            Self::LeadingDot => "a digit must stand before the dot",
            Self::TrailingDot => "a digit must stand after the dot",
            Self::ManyDots => "an amount has at most one dot",
            Self::LeadingZeros => "an amount has no leading zeros",
            Self::TooManyDigits => "an amount has at most 38 digits",
            Self::NotANumber => "an amount is written with the digits 0-9 and at most one dot",
            Self::BadUnit => "a unit is `USD` or an asset symbol such as `USDC`",
            Self::Zero => "a price is more than zero",
        }
    }

    /// What to do where no corrected literal can be given, or in addition to it.
    const fn advice(self) -> &'static str {
        match self {
            Self::MissingUnit => {
                "add a unit: `USD` is paid with any accepted dollar token, `USDC` with that token only"
            }
            Self::Zero => "free routes need no `#[paid]`: mount the handler like any other",
            Self::Comma => {
                "write the amount with a dot as decimal mark and without separators, as in `1000.50 USDC`"
            }
            _ => "write an amount, one space and a unit, as in `0.01 USDC`",
        }
    }
}

impl fmt::Display for PriceErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<DecimalFault> for PriceErrorCode {
    fn from(fault: DecimalFault) -> Self {
        match fault {
            DecimalFault::Empty => Self::MissingAmount,
            DecimalFault::Whitespace => Self::Whitespace,
            DecimalFault::Sign => Self::Sign,
            DecimalFault::CurrencyGlyph => Self::CurrencyGlyph,
            DecimalFault::Exponent => Self::Exponent,
            DecimalFault::Comma => Self::Comma,
            DecimalFault::Separator => Self::Separator,
            DecimalFault::LeadingDot => Self::LeadingDot,
            DecimalFault::TrailingDot => Self::TrailingDot,
            DecimalFault::ManyDots => Self::ManyDots,
            DecimalFault::LeadingZeros => Self::LeadingZeros,
            DecimalFault::TooManyDigits => Self::TooManyDigits,
            DecimalFault::NotANumber => Self::NotANumber,
        }
    }
}

/// A price literal that was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", help.as_ref().map(|help| format!("; {help}")).unwrap_or_default())]
#[non_exhaustive]
pub struct PriceParseError {
    /// Which rule the literal breaks.
    pub code: PriceErrorCode,
    /// The bytes of the literal that break it. Always on character boundaries and inside the literal.
    pub span: Range<usize>,
    /// What is wrong, naming the literal.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The literal written right, where it has exactly one reading.
    pub suggestion: Option<String>,
}

impl PriceParseError {
    pub(super) fn new(
        code: PriceErrorCode,
        literal: &str,
        span: Range<usize>,
        suggestion: Option<String>,
    ) -> Self {
        let help = match &suggestion {
            Some(right) if code == PriceErrorCode::MissingUnit => {
                format!("write {}; {}", quote(right), code.advice())
            }
            Some(right) => format!("write {}", quote(right)),
            None => code.advice().to_owned(),
        };
        let message = format!("{} is not a price: {}", quote(literal), code.rule());
        Self {
            code,
            span,
            message,
            help: Some(help),
            suggestion,
        }
    }
}
