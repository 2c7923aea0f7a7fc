//! A price as written: an exact decimal and what it counts.

use std::borrow::Cow;

use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use super::error::PriceParseError;
use super::parse;
use crate::money::Decimal;

/// What a price counts. Symbols are kept as written and compared without regard to case.
#[derive(Clone, Debug)]
pub enum PriceUnit {
    /// US dollars: payable in any accepted token that is pegged to the dollar.
    Usd,
    /// One token by its symbol, such as `USDC`. Values made by parsing are valid symbols other than `USD`.
    Symbol(Cow<'static, str>),
}

impl PriceUnit {
    /// The unit as written in a price.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Usd => "USD",
            Self::Symbol(symbol) => symbol,
        }
    }
}

impl PartialEq for PriceUnit {
    fn eq(&self, other: &Self) -> bool {
        self.as_str().eq_ignore_ascii_case(other.as_str())
    }
}

impl Eq for PriceUnit {}

impl Hash for PriceUnit {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.as_str().bytes() {
            byte.to_ascii_uppercase().hash(state);
        }
    }
}

impl fmt::Display for PriceUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An exact amount in a unit, written `"0.01 USDC"`. Parsing and printing are inverse.
///
/// ```
/// use std::borrow::Cow;
/// use x402_model::money::Decimal;
/// use x402_model::price::{Price, PriceUnit};
///
/// const CENT: Price = Price { amount: Decimal::new(1, 2), unit: PriceUnit::Symbol(Cow::Borrowed("USDC")) };
/// assert_eq!("0.010 usdc".parse(), Ok(CENT));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Price {
    /// How much.
    pub amount: Decimal,
    /// Of what.
    pub unit: PriceUnit,
}

impl Price {
    /// Reads a price that may be zero: bases, tiers and other parts of a model. `FromStr` refuses zero.
    ///
    /// # Errors
    /// [`PriceParseError`] as for `FromStr`, but never for zero.
    pub fn parse_or_zero(text: &str) -> Result<Self, PriceParseError> {
        parse::price(text, true)
    }

    /// Nothing, in the same unit.
    #[must_use]
    pub fn zero_of(&self) -> Self {
        Self {
            amount: Decimal::ZERO,
            unit: self.unit.clone(),
        }
    }
}

impl FromStr for Price {
    type Err = PriceParseError;

    fn from_str(text: &str) -> Result<Self, PriceParseError> {
        parse::price(text, false)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {}", self.amount, self.unit))
    }
}
