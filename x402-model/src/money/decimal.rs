//! A non-negative decimal that is exactly what was written.

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use alloy_primitives::U256;

use super::amount::AtomicAmount;
use super::error::MoneyError;
use super::literal;

/// Ten to the power of [`Decimal::MAX_DIGITS`]: the first mantissa that is too large.
const MANTISSA_LIMIT: u128 = 10_u128.pow(38);

/// An exact decimal without sign: `mantissa / 10^scale`.
///
/// Equality, order and hash are those of the number (`1.0 == 1.00`), while `Display` gives back the digits as they were
/// written, so parsing and printing are inverse.
///
/// ```
/// use x402_model::money::Decimal;
///
/// const CENT: Decimal = Decimal::new(1, 2);
/// assert_eq!(CENT, "0.010".parse()?);
/// assert_eq!("0.010".parse::<Decimal>()?.to_string(), "0.010");
/// # Ok::<(), x402_model::money::MoneyError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Decimal {
    mantissa: u128,
    scale: u8,
}

impl Decimal {
    /// Zero without decimal places.
    pub const ZERO: Self = Self {
        mantissa: 0,
        scale: 0,
    };
    /// One without decimal places.
    pub const ONE: Self = Self {
        mantissa: 1,
        scale: 0,
    };
    /// Most digits of a decimal, before and after the dot together.
    pub const MAX_DIGITS: u8 = 38;

    /// `mantissa / 10^scale`, for constants such as those emitted by `#[paid]`.
    ///
    /// # Panics
    /// If the mantissa has more than 38 digits or the scale is above 38; in a constant that is a compile error.
    /// For values known only at run time use [`Self::checked_new`].
    #[must_use]
    pub const fn new(mantissa: u128, scale: u8) -> Self {
        assert!(
            mantissa < MANTISSA_LIMIT && scale <= Self::MAX_DIGITS,
            "a decimal has at most 38 digits"
        );
        Self { mantissa, scale }
    }

    /// `mantissa / 10^scale`, or `None` if that needs more than 38 digits.
    #[must_use]
    pub const fn checked_new(mantissa: u128, scale: u8) -> Option<Self> {
        if mantissa < MANTISSA_LIMIT && scale <= Self::MAX_DIGITS {
            Some(Self { mantissa, scale })
        } else {
            None
        }
    }

    /// The digits without the dot.
    #[must_use]
    pub const fn mantissa(self) -> u128 {
        self.mantissa
    }

    /// How many of the digits stand after the dot, 0 to 38.
    #[must_use]
    pub const fn scale(self) -> u8 {
        self.scale
    }

    /// Whether the number is zero, however it is written.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// The amount in the smallest units of an asset with `decimals` decimals; exact or an error, never rounded.
    ///
    /// # Errors
    /// [`MoneyError::TooPrecise`] if the number is no whole count of atomic units, [`MoneyError::Overflow`] if it needs
    /// more than 256 bits.
    ///
    /// ```
    /// # use x402_model::money::Decimal;
    /// let dear: Decimal = "0.0000001".parse()?;
    /// assert!(dear.to_atomic(6).is_err(), "a tenth of the smallest unit is not free of charge");
    /// assert_eq!(dear.to_atomic(18)?.to_string(), "100000000000");
    /// # Ok::<(), x402_model::money::MoneyError>(())
    /// ```
    pub fn to_atomic(self, decimals: u8) -> Result<AtomicAmount, MoneyError> {
        let mantissa = U256::from(self.mantissa);
        if self.is_zero() {
            return Ok(AtomicAmount::ZERO);
        }
        if let Some(more) = decimals.checked_sub(self.scale) {
            return power_of_ten(more)
                .and_then(|power| mantissa.checked_mul(power))
                .map(AtomicAmount::new)
                .ok_or_else(|| MoneyError::Overflow {
                    literal: self.to_string(),
                });
        }
        let too_precise = || MoneyError::TooPrecise {
            amount: self.to_string(),
            decimals,
            smallest: AtomicAmount::from_u128(1).to_decimal(decimals),
        };
        let power = power_of_ten(self.scale.saturating_sub(decimals)).ok_or_else(too_precise)?;
        match (mantissa.checked_rem(power), mantissa.checked_div(power)) {
            (Some(rest), Some(whole)) if rest.is_zero() => Ok(AtomicAmount::new(whole)),
            _ => Err(too_precise()),
        }
    }

    /// The exact sum, or `None` if it needs more than 38 digits.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let sum = self.at_scale(scale)?.checked_add(other.at_scale(scale)?)?;
        Self::from_wide(sum, scale)
    }

    /// The exact difference, or `None` if it is negative or needs more than 38 digits.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let rest = self.at_scale(scale)?.checked_sub(other.at_scale(scale)?)?;
        Self::from_wide(rest, scale)
    }

    /// The exact product, or `None` if it needs more than 38 digits.
    #[must_use]
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        let (left, right) = (self.normalized(), other.normalized());
        let product = U256::from(left.mantissa).checked_mul(U256::from(right.mantissa))?;
        Self::from_wide(product, left.scale.checked_add(right.scale)?)
    }

    /// The same number without trailing zeros after the dot: the shortest way to write it.
    #[must_use]
    pub const fn normalized(self) -> Self {
        let Self {
            mut mantissa,
            mut scale,
        } = self;
        while scale > 0 && mantissa.is_multiple_of(10) {
            mantissa /= 10;
            scale -= 1;
        }
        Self { mantissa, scale }
    }

    /// The digits before the dot: the largest whole number that is not above this one.
    ///
    /// ```
    /// # use x402_model::money::Decimal;
    /// assert_eq!(Decimal::new(1_999, 3).whole_part(), Decimal::ONE);
    /// ```
    #[must_use]
    pub const fn whole_part(self) -> Self {
        let Self {
            mut mantissa,
            mut scale,
        } = self;
        while scale > 0 {
            mantissa /= 10;
            scale -= 1;
        }
        Self { mantissa, scale }
    }

    /// The mantissa this number has at a scale that is not below its own.
    fn at_scale(self, scale: u8) -> Option<U256> {
        power_of_ten(scale.checked_sub(self.scale)?)?.checked_mul(U256::from(self.mantissa))
    }

    /// Drops trailing zeros that would not fit, and nothing else.
    fn from_wide(mut mantissa: U256, mut scale: u8) -> Option<Self> {
        let ten = U256::from(10_u8);
        while (scale > Self::MAX_DIGITS || mantissa >= U256::from(MANTISSA_LIMIT))
            && scale > 0
            && mantissa.checked_rem(ten)?.is_zero()
        {
            mantissa = mantissa.checked_div(ten)?;
            scale -= 1;
        }
        Self::checked_new(u128::try_from(mantissa).ok()?, scale)
    }
}

/// `10^exponent` if it fits 256 bits (exponents up to 77).
fn power_of_ten(exponent: u8) -> Option<U256> {
    U256::from(10_u8).checked_pow(U256::from(exponent))
}

impl FromStr for Decimal {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        match literal::read(text) {
            Ok((mantissa, scale)) => {
                Self::checked_new(mantissa, scale).ok_or_else(|| MoneyError::Overflow {
                    literal: text.to_owned(),
                })
            }
            Err(fault) => Err(MoneyError::Malformed {
                literal: text.chars().take(80).collect(),
                fault,
                suggestion: literal::suggestion_for(text),
            }),
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = usize::from(self.scale);
        let digits = format!("{:0width$}", self.mantissa, width = scale.saturating_add(1));
        match digits.split_at_checked(digits.len().saturating_sub(scale)) {
            Some((whole, fraction)) if !fraction.is_empty() => {
                f.pad(&format!("{whole}.{fraction}"))
            }
            _ => f.pad(&digits),
        }
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decimal({self})")
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        // Mantissas are below 10^38 and scales at most 38, so the aligned mantissas are below 10^76 and fit 256 bits:
        // both sides are always `Some`.
        let scale = self.scale.max(other.scale);
        self.at_scale(scale).cmp(&other.at_scale(scale))
    }
}

impl Hash for Decimal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { mantissa, scale } = self.normalized();
        (mantissa, scale).hash(state);
    }
}
