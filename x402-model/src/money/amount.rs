//! Amounts in the smallest unit of a token, as they stand on the wire and on the chain.

use core::fmt;
use core::str::FromStr;

use alloy_primitives::U256;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::error::MoneyError;

/// Digits of the largest 256-bit integer.
const MAX_DIGITS: usize = 78;

/// A count of atomic units: an unsigned 256-bit integer, written as a canonical decimal string.
///
/// Text form and serde form are the same: ASCII digits, no sign, no leading zeros, at most 2^256 − 1. JSON numbers are
/// refused, since many JSON readers pass them through floats.
///
/// ```
/// use x402_model::money::AtomicAmount;
///
/// let amount: AtomicAmount = "10000".parse()?;
/// assert_eq!(amount.to_decimal(6), "0.01");
/// assert!("010000".parse::<AtomicAmount>().is_err());
/// # Ok::<(), x402_model::money::MoneyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct AtomicAmount(U256);

impl AtomicAmount {
    /// Nothing.
    pub const ZERO: Self = Self(U256::ZERO);
    /// The largest amount that a token can count.
    pub const MAX: Self = Self(U256::MAX);

    /// Wraps a count of atomic units.
    #[must_use]
    pub const fn new(units: U256) -> Self {
        Self(units)
    }

    /// The count of atomic units.
    #[must_use]
    pub const fn get(self) -> U256 {
        self.0
    }

    /// Wraps a count of atomic units that fits 128 bits.
    #[must_use]
    pub fn from_u128(units: u128) -> Self {
        Self(U256::from(units))
    }

    /// The sum, or `None` on overflow.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` if it would be negative.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Whether there is nothing to pay.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// The amount as people read it, for an asset with `decimals` decimals: exact, without trailing zeros.
    #[must_use]
    pub fn to_decimal(self, decimals: u8) -> String {
        let places = usize::from(decimals);
        let digits = format!(
            "{:0>width$}",
            self.0.to_string(),
            width = places.saturating_add(1)
        );
        let Some((whole, fraction)) = digits.split_at_checked(digits.len().saturating_sub(places))
        else {
            return digits;
        };
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() {
            whole.to_owned()
        } else {
            format!("{whole}.{fraction}")
        }
    }
}

impl FromStr for AtomicAmount {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let kept = || text.chars().take(80).collect();
        let canonical = !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && (text == "0" || !text.starts_with('0'));
        if !canonical {
            return Err(MoneyError::NotAtomic { literal: kept() });
        }
        if text.len() > MAX_DIGITS {
            return Err(MoneyError::Overflow { literal: kept() });
        }
        U256::from_str_radix(text, 10)
            .map(Self)
            .map_err(|_| MoneyError::Overflow { literal: kept() })
    }
}

impl fmt::Display for AtomicAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_string())
    }
}

impl fmt::Debug for AtomicAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AtomicAmount({})", self.0)
    }
}

impl Serialize for AtomicAmount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AtomicAmount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(AmountVisitor)
    }
}

/// Reads amounts from strings only.
struct AmountVisitor;

impl de::Visitor<'_> for AmountVisitor {
    type Value = AtomicAmount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an atomic amount as a decimal string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<AtomicAmount, E> {
        text.parse().map_err(E::custom)
    }
}
