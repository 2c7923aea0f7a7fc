//! Metered prices: the ceiling that a buyer signs before the call, and the amount that is settled after it.

use alloy_primitives::{U256, Uint};

use super::expr::Price;
use super::facts::Facts;
use super::model::{PriceModel, Rounding, UsageUnit};
use super::read;
use super::refusal::{PriceError, Wanted};
use super::selector::Selector;
use crate::money::{AtomicAmount, Decimal};

/// Wide enough for the sum of any metered price that passes the check: 38 digits each for an amount, a quantity and the
/// common divisor, 76 for their decimal places, 38 for the headroom and 77 for the decimals of the asset.
type Wide = Uint<1024, 16>;

/// The most that a buyer signs for one call: the ceiling of the model, or less where the request tells how much less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ceiling {
    most: Price,
    estimate: Option<Fraction>,
}

impl Ceiling {
    /// The ceiling of the model, which no call exceeds.
    #[must_use]
    pub const fn most(&self) -> &Price {
        &self.most
    }

    /// The ceiling of this call in an asset with so many decimals.
    ///
    /// An estimate is no price. One that is no whole count of atomic units is taken up to the next one; what is settled is
    /// the metered sum below it.
    ///
    /// # Errors
    /// [`PriceError::Inexact`] if the asset cannot express the ceiling of the model.
    pub fn on(&self, decimals: u8) -> Result<AtomicAmount, PriceError> {
        let most = atomic(self.most.amount, decimals)?;
        let Some(estimate) = &self.estimate else {
            return Ok(most);
        };
        match estimate.atomic(decimals, Rounding::UpToAtomic) {
            // Nothing can be signed for nothing: an estimate of zero tells only that the request does not tell.
            Some(amount) if !amount.is_zero() => Ok(amount.min(most)),
            Some(_) => Ok(most),
            None => Err(PriceError::TooLarge),
        }
    }
}

/// The ceiling of one call: the estimates, times the headroom, but never above that of the model.
pub(super) fn ceiling(model: &PriceModel, facts: &Facts<'_>) -> Result<Ceiling, PriceError> {
    let Some(terms) = Terms::of(model) else {
        return Err(PriceError::OtherModel {
            model: model.name(),
            wanted: "metered",
        });
    };
    let most = terms.ceiling.clone();
    let mut quantities = Vec::with_capacity(terms.units.len());
    for unit in terms.units {
        let Some(estimate) = &unit.estimate else {
            return Ok(Ceiling {
                most,
                estimate: None,
            });
        };
        quantities.push((quantity(estimate, facts)?, estimate.divide_by));
    }
    let sum = terms.sum(&quantities).ok_or(PriceError::TooLarge)?;
    let estimate = sum.times(terms.headroom).ok_or(PriceError::TooLarge)?;
    Ok(Ceiling {
        most,
        estimate: Some(estimate),
    })
}

fn quantity(selector: &Selector, facts: &Facts<'_>) -> Result<Decimal, PriceError> {
    let number = read::read(selector, Wanted::Number, facts)?.number(selector, Wanted::Number)?;
    if number.negative {
        return Err(PriceError::NoBand {
            selector: Box::new(selector.clone()),
            given: format!("-{}", number.magnitude),
            most: "any number".to_owned(),
        });
    }
    Ok(number.magnitude)
}

fn atomic(amount: Decimal, decimals: u8) -> Result<AtomicAmount, PriceError> {
    amount
        .to_atomic(decimals)
        .map_err(|_| PriceError::Inexact { amount, decimals })
}

impl PriceModel {
    /// The metered quantities of a call, read where the units say: in its answer, or in the request itself.
    ///
    /// # Errors
    /// [`PriceError`] if one is missing or no exact number.
    pub fn quantities(&self, facts: &Facts<'_>) -> Result<Vec<(&str, Decimal)>, PriceError> {
        let terms = self.terms()?;
        terms
            .units
            .iter()
            .map(|unit| Ok((&*unit.id, quantity(&unit.meter, facts)?)))
            .collect()
    }

    /// One metered quantity of a call, by the name of its unit.
    ///
    /// # Errors
    /// As [`quantities`](Self::quantities); [`PriceError::UnknownQuantity`] if the price has no such unit.
    pub fn quantity(&self, id: &str, facts: &Facts<'_>) -> Result<Decimal, PriceError> {
        let units = self.terms()?.units;
        let unit = units.iter().find(|unit| unit.id == id);
        let unit = unit.ok_or_else(|| PriceError::UnknownQuantity { id: id.to_owned() })?;
        quantity(&unit.meter, facts)
    }

    /// What is settled for metered quantities, in an asset with so many decimals: base and quantities at their prices,
    /// rounded once as the model says, and never more than was signed or than the ceiling of the model.
    ///
    /// Each quantity of the price is given exactly once, as it stands where it is metered: a divisor of its meter is
    /// applied here.
    ///
    /// # Errors
    /// [`PriceError::UnknownQuantity`], [`PriceError::MissingQuantity`], or [`PriceError::Inexact`] for an asset that cannot
    /// express the ceiling.
    ///
    /// ```
    /// use std::borrow::Cow;
    /// use x402_model::money::{AtomicAmount, Decimal};
    /// use x402_model::price::{Price, PriceModel, PriceUnit, Rounding, Selector, Source, UsageUnit};
    ///
    /// const fn usd(mantissa: u128, scale: u8) -> Price {
    ///     Price { amount: Decimal::new(mantissa, scale), unit: PriceUnit::Usd }
    /// }
    /// let per_thousand_tokens = UsageUnit {
    ///     id: Cow::Borrowed("tokens"),
    ///     per: 1000,
    ///     amount: usd(2, 3),
    ///     meter: Selector::at(Source::ResponseBody, "/usage/tokens"),
    ///     estimate: None,
    /// };
    /// let model = PriceModel::Usage {
    ///     base: None,
    ///     units: Cow::Owned(vec![per_thousand_tokens]),
    ///     rounding: Rounding::UpToAtomic,
    ///     headroom: Decimal::ONE,
    ///     ceiling: usd(2, 2),
    /// };
    /// let signed = AtomicAmount::from_u128(20_000);
    /// let settled = |tokens| model.metered(&[("tokens", Decimal::new(tokens, 0))], 6, signed);
    /// assert_eq!(settled(61).unwrap().to_string(), "122");
    /// assert_eq!(settled(1_000_000).unwrap(), signed, "never more than was signed");
    /// ```
    pub fn metered(
        &self,
        quantities: &[(&str, Decimal)],
        decimals: u8,
        signed: AtomicAmount,
    ) -> Result<AtomicAmount, PriceError> {
        let terms = self.terms()?;
        for (place, (id, _)) in quantities.iter().enumerate() {
            let known = terms.units.iter().any(|unit| unit.id == *id);
            let again = quantities.iter().take(place).any(|(other, _)| other == id);
            if !known || again {
                return Err(PriceError::UnknownQuantity {
                    id: (*id).to_owned(),
                });
            }
        }
        let ordered = terms
            .units
            .iter()
            .map(|unit| {
                let given = quantities.iter().find(|(id, _)| unit.id == *id);
                given
                    .map(|(_, quantity)| (*quantity, unit.meter.divide_by))
                    .ok_or_else(|| PriceError::MissingQuantity {
                        id: unit.id.to_string(),
                    })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let sum = terms.sum(&ordered).ok_or(PriceError::TooLarge)?;
        let most = atomic(terms.ceiling.amount, decimals)?.min(signed);
        // A sum beyond 256 bits is above any ceiling.
        Ok(sum
            .atomic(decimals, terms.rounding)
            .map_or(most, |amount| amount.min(most)))
    }

    fn terms(&self) -> Result<Terms<'_>, PriceError> {
        Terms::of(self).ok_or(PriceError::OtherModel {
            model: self.name(),
            wanted: "metered",
        })
    }
}

/// The parts of a metered model.
struct Terms<'m> {
    base: Option<&'m Price>,
    units: &'m [UsageUnit],
    rounding: Rounding,
    headroom: Decimal,
    ceiling: &'m Price,
}

impl<'m> Terms<'m> {
    fn of(model: &'m PriceModel) -> Option<Self> {
        match model {
            PriceModel::Usage {
                base,
                units,
                rounding,
                headroom,
                ceiling,
            } => Some(Self {
                base: base.as_ref(),
                units,
                rounding: *rounding,
                headroom: *headroom,
                ceiling,
            }),
            _ => None,
        }
    }

    /// Base and quantities, each quantity with the divisor of the place where it was read, in the order of the units.
    fn sum(&self, quantities: &[(Decimal, u64)]) -> Option<Fraction> {
        let divisors = || {
            let units = self.units.iter().zip(quantities);
            units
                .map(|(unit, (_, divide_by))| u128::from(unit.per).checked_mul((*divide_by).into()))
        };
        let common = common_multiple(divisors())?;
        let base = self.base.map_or(Decimal::ZERO, |price| price.amount);
        let mut sum = Fraction::of(base, common)?.scaled_by(common)?;
        for ((unit, (quantity, _)), divisor) in self.units.iter().zip(quantities).zip(divisors()) {
            let share = common.checked_div(divisor?)?;
            let part = Fraction::of(unit.amount.amount, common)?.times(*quantity)?;
            sum = sum.plus(part.scaled_by(share)?)?;
        }
        Some(sum)
    }
}

/// The least common multiple of divisors, if none is zero and it fits 38 digits.
pub(super) fn common_multiple(mut divisors: impl Iterator<Item = Option<u128>>) -> Option<u128> {
    divisors
        .try_fold(1_u128, |multiple, divisor| {
            let divisor = divisor.filter(|divisor| *divisor > 0)?;
            multiple
                .checked_div(gcd(multiple, divisor))?
                .checked_mul(divisor)
        })
        .filter(|multiple| Decimal::checked_new(*multiple, 0).is_some())
}

fn gcd(mut left: u128, mut right: u128) -> u128 {
    while let Some(rest) = left.checked_rem(right) {
        (left, right) = (right, rest);
    }
    left
}

/// `numerator / (10^places × divisor)`, never rounded before it becomes atomic units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fraction {
    numerator: Wide,
    places: u32,
    divisor: u128,
}

impl Fraction {
    /// A decimal over a divisor.
    fn of(decimal: Decimal, divisor: u128) -> Option<Self> {
        let decimal = decimal.normalized();
        Some(Self {
            numerator: Wide::checked_from_limbs_slice(U256::from(decimal.mantissa()).as_limbs())?,
            places: decimal.scale().into(),
            divisor,
        })
    }

    fn times(self, factor: Decimal) -> Option<Self> {
        let factor = Self::of(factor, 1)?;
        Some(Self {
            numerator: self.numerator.checked_mul(factor.numerator)?,
            places: self.places.checked_add(factor.places)?,
            divisor: self.divisor,
        })
    }

    fn scaled_by(self, factor: u128) -> Option<Self> {
        Some(Self {
            numerator: self.numerator.checked_mul(Wide::from(factor))?,
            ..self
        })
    }

    /// The sum of two fractions over the same divisor.
    fn plus(self, other: Self) -> Option<Self> {
        let places = self.places.max(other.places);
        let aligned = |part: Self| {
            let more = places.checked_sub(part.places)?;
            part.numerator.checked_mul(power_of_ten(more)?)
        };
        Some(Self {
            numerator: aligned(self)?.checked_add(aligned(other)?)?,
            places,
            divisor: self.divisor,
        })
    }

    /// The count of atomic units; `None` beyond 256 bits.
    fn atomic(self, decimals: u8, rounding: Rounding) -> Option<AtomicAmount> {
        let units = self.numerator.checked_mul(power_of_ten(decimals.into())?)?;
        let over = power_of_ten(self.places)?.checked_mul(Wide::from(self.divisor))?;
        let whole = units.checked_div(over)?;
        let up = rounding == Rounding::UpToAtomic && !units.checked_rem(over)?.is_zero();
        let whole = if up {
            whole.checked_add(Wide::from(1_u8))?
        } else {
            whole
        };
        U256::checked_from_limbs_slice(whole.as_limbs()).map(AtomicAmount::new)
    }
}

fn power_of_ten(exponent: u32) -> Option<Wide> {
    Wide::from(10_u8).checked_pow(Wide::from(exponent))
}
