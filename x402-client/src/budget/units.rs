//! Amounts of assets with different decimals on one exact scale, so that they add up without rounding.

use std::fmt;

use alloy_primitives::U256;
use x402_model::money::{AtomicAmount, Decimal};

/// Decimal places of the common scale. It holds every asset of up to 36 decimals and, in 256 bits, amounts far
/// beyond what a [`Decimal`] can say.
const SCALE: u8 = 36;

/// An exact, non-negative amount of a budget's unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Units(U256);

impl Units {
    pub(crate) const ZERO: Self = Self(U256::ZERO);

    /// `None` if the decimal has more places than the common scale.
    pub(crate) fn from_decimal(amount: Decimal) -> Option<Self> {
        let places = SCALE.checked_sub(amount.scale())?;
        U256::from(amount.mantissa())
            .checked_mul(power_of_ten(places)?)
            .map(Self)
    }

    /// `None` if the asset has more decimals than the common scale or the amount is beyond it. Both are far beyond
    /// any budget.
    pub(crate) fn from_atomic(amount: AtomicAmount, decimals: u8) -> Option<Self> {
        let places = SCALE.checked_sub(decimals)?;
        amount.get().checked_mul(power_of_ten(places)?).map(Self)
    }

    pub(crate) fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    pub(crate) const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    pub(crate) fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

fn power_of_ten(places: u8) -> Option<U256> {
    U256::from(10_u8).checked_pow(U256::from(places))
}

impl fmt::Display for Units {
    /// Exact decimal text without trailing zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&AtomicAmount::new(self.0).to_decimal(SCALE))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Units {
        Units::from_decimal(text.parse().unwrap()).unwrap()
    }

    fn atomic(amount: u128, decimals: u8) -> Units {
        Units::from_atomic(AtomicAmount::from_u128(amount), decimals).unwrap()
    }

    #[test]
    fn a05_the_same_digits_mean_different_money_at_different_decimals() {
        assert_eq!(decimal("0.01"), atomic(10_000, 6));
        assert_eq!(decimal("0.01"), atomic(10_000_000_000_000_000, 18));
        assert!(atomic(10_000_000_000_000_000, 6) > decimal("1000000000"));
        assert!(atomic(10_000, 18) < decimal("0.000001"));
    }

    #[test]
    fn what_does_not_fit_is_none_not_rounded() {
        assert_eq!(Units::from_atomic(AtomicAmount::MAX, 6), None);
        assert_eq!(Units::from_atomic(AtomicAmount::from_u128(1), 37), None);
        assert_eq!(Units::from_decimal(Decimal::new(1, 37)), None);
        assert!(Units::from_decimal(Decimal::new(10_u128.pow(38) - 1, 0)).is_some());
        assert!(Units::from_atomic(AtomicAmount::MAX, 36).is_some());
    }

    #[test]
    fn text_is_exact_and_short() {
        for text in ["0", "5", "0.01", "100", "10.5", "0.000000000000000001"] {
            assert_eq!(decimal(text).to_string(), text);
        }
        assert_eq!(decimal("5.00").to_string(), "5");
    }

    proptest! {
        #[test]
        fn order_is_the_numeric_order(a in any::<u64>(), b in any::<u64>(), x in 0_u8..=18, y in 0_u8..=18) {
            let left = U256::from(a) * U256::from(10).pow(U256::from(y));
            let right = U256::from(b) * U256::from(10).pow(U256::from(x));
            prop_assert_eq!(atomic(a.into(), x).cmp(&atomic(b.into(), y)), left.cmp(&right));
        }
    }
}
