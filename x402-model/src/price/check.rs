//! The rules of price models that types cannot hold, and the bounds of tiered prices.

use super::expr::{Price, PriceUnit};
use super::model::{
    Bounds, Charge, Combine, Dimension, DimensionTable, PriceModel, Rebate, UsageUnit,
};
use super::selector::Selector;
use crate::money::Decimal;

/// A price model that contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PriceModelError {
    /// Nothing can ever be charged.
    #[error("the price can never be more than zero: free routes need no `#[paid]`")]
    NeverCharges,
    /// A tiered price without dimensions, a dimension without entries, or a metered price without units.
    #[error("{what} is empty: give at least one entry")]
    Empty {
        /// Which list.
        what: &'static str,
    },
    /// Two units in one price.
    #[error("the price mixes {first} and {second}: write every amount in the same unit")]
    MixedUnits {
        /// The first unit met.
        first: String,
        /// Another one.
        second: String,
    },
    /// A product needs exactly one dimension of amounts.
    #[error(
        "`multiply` needs exactly one dimension with amounts and factors in all others, but {found} have amounts"
    )]
    AmountDimensions {
        /// Dimensions of amounts found.
        found: usize,
    },
    /// A sum takes no factors.
    #[error("`sum` adds amounts: write amounts, not factors, in every dimension")]
    FactorInSum,
    /// Amounts and factors in one dimension.
    #[error("a dimension holds amounts or factors, not both")]
    MixedDimension,
    /// Bands that do not rise, or an open band that is not last.
    #[error("bands must rise, and only the last may have no upper end")]
    BandOrder,
    /// The same value twice.
    #[error("a value stands twice in one dimension")]
    DuplicateCase,
    /// A rebate above 1.
    #[error("a rebate of {factor} raises the price: write a factor of at most 1")]
    RebateRaises {
        /// The factor.
        factor: Decimal,
    },
    /// More digits than a decimal holds.
    #[error("the bounds need more than 38 digits: write smaller amounts or factors")]
    TooManyDigits,
    /// The bounds written in the model are not those of its tiers.
    #[error("the bounds must be {} to {}", right.min, right.max)]
    WrongBounds {
        /// The bounds that follow from the tiers.
        right: Box<Bounds>,
    },
    /// The least is more than the most.
    #[error("the least price {} is more than the most, {}", bounds.min, bounds.max)]
    Reversed {
        /// The bounds as written.
        bounds: Box<Bounds>,
    },
    /// A number that must be at least 1.
    #[error("{what} must be at least 1")]
    BelowOne {
        /// Which number.
        what: &'static str,
    },
    /// Two metered quantities of the same name, or one without a name.
    #[error("each metered quantity needs a name of its own, but {id:?} is empty or taken")]
    UnitId {
        /// The name.
        id: String,
    },
    /// A price that is asked before the call looks at the answer.
    #[error(
        "the price is asked before the call, so it cannot depend on the answer: select a part of the request"
    )]
    LooksAtAnswer,
}

/// Checks one model.
pub(super) fn model(model: &PriceModel) -> Result<(), PriceModelError> {
    match model {
        PriceModel::Free => return Ok(()),
        PriceModel::Flat { .. } | PriceModel::Dynamic { .. } => {}
        PriceModel::Tiered {
            dimensions,
            combine,
            rebates,
            bounds,
        } => {
            let right = tiered_bounds(dimensions, *combine, rebates)?;
            if *bounds != right {
                return Err(PriceModelError::WrongBounds {
                    right: Box::new(right),
                });
            }
        }
        PriceModel::Usage {
            units,
            headroom,
            ceiling,
            ..
        } => usage(units, *headroom, ceiling)?,
    }
    let bounds = model.bounds();
    same_unit(&bounds.min.unit, &bounds.max.unit)?;
    if bounds.min.amount > bounds.max.amount {
        return Err(PriceModelError::Reversed {
            bounds: Box::new(bounds),
        });
    }
    if bounds.max.amount.is_zero() {
        Err(PriceModelError::NeverCharges)
    } else {
        Ok(())
    }
}

fn same_unit(first: &PriceUnit, second: &PriceUnit) -> Result<(), PriceModelError> {
    if first == second {
        return Ok(());
    }
    Err(PriceModelError::MixedUnits {
        first: first.to_string(),
        second: second.to_string(),
    })
}

fn usage(units: &[UsageUnit], headroom: Decimal, ceiling: &Price) -> Result<(), PriceModelError> {
    if units.is_empty() {
        return Err(PriceModelError::Empty {
            what: "the list of metered units",
        });
    }
    if headroom < Decimal::ONE {
        return Err(PriceModelError::BelowOne {
            what: "the headroom",
        });
    }
    let mut ids: Vec<&str> = Vec::with_capacity(units.len());
    for unit in units {
        same_unit(&ceiling.unit, &unit.amount.unit)?;
        if unit.id.is_empty() || ids.contains(&unit.id.as_ref()) {
            return Err(PriceModelError::UnitId {
                id: unit.id.to_string(),
            });
        }
        ids.push(&unit.id);
        if unit.per == 0 {
            return Err(PriceModelError::BelowOne { what: "`per`" });
        }
        divisor(&unit.meter)?;
        if let Some(estimate) = &unit.estimate {
            before_call(estimate)?;
        }
    }
    Ok(())
}

fn divisor(selector: &Selector) -> Result<(), PriceModelError> {
    if selector.divide_by == 0 {
        Err(PriceModelError::BelowOne {
            what: "`divide_by`",
        })
    } else {
        Ok(())
    }
}

fn before_call(selector: &Selector) -> Result<(), PriceModelError> {
    if selector.source.is_response() {
        Err(PriceModelError::LooksAtAnswer)
    } else {
        divisor(selector)
    }
}

/// The bounds of a tiered price.
///
/// # Errors
/// [`PriceModelError`] if the tiers contradict each other.
pub fn tiered_bounds(
    dimensions: &[Dimension],
    combine: Combine,
    rebates: &[Rebate],
) -> Result<Bounds, PriceModelError> {
    let mut amounts: Vec<Bounds> = Vec::new();
    let mut least = Decimal::ONE;
    let mut most = Decimal::ONE;
    if dimensions.is_empty() {
        return Err(PriceModelError::Empty {
            what: "the list of dimensions",
        });
    }
    for dimension in dimensions {
        before_call(&dimension.by)?;
        match range_of(&charges(&dimension.table)?)? {
            Range::Amounts(bounds) => amounts.push(bounds),
            Range::Factors(_, _) if combine == Combine::Sum => {
                return Err(PriceModelError::FactorInSum);
            }
            Range::Factors(low, high) => {
                least = product(least, low)?;
                most = product(most, high)?;
            }
        }
    }
    if combine == Combine::Multiply && amounts.len() != 1 {
        return Err(PriceModelError::AmountDimensions {
            found: amounts.len(),
        });
    }
    for rebate in rebates {
        let (low, high) = rebate_range(rebate)?;
        least = product(least, low)?;
        most = product(most, high)?;
    }
    let total = sum_of(amounts)?;
    Ok(Bounds {
        min: Price {
            amount: product(total.min.amount, least)?,
            unit: total.min.unit,
        },
        max: Price {
            amount: product(total.max.amount, most)?,
            unit: total.max.unit,
        },
    })
}

fn product(left: Decimal, right: Decimal) -> Result<Decimal, PriceModelError> {
    left.checked_mul(right)
        .ok_or(PriceModelError::TooManyDigits)
}

fn sum_of(amounts: Vec<Bounds>) -> Result<Bounds, PriceModelError> {
    let mut parts = amounts.into_iter();
    let first = parts.next().ok_or(PriceModelError::Empty {
        what: "the list of amounts",
    })?;
    parts.try_fold(first, |sum, part| {
        same_unit(&sum.max.unit, &part.max.unit)?;
        let add = |left: Price, right: &Price| {
            let amount = left
                .amount
                .checked_add(right.amount)
                .ok_or(PriceModelError::TooManyDigits)?;
            Ok(Price {
                amount,
                unit: left.unit,
            })
        };
        Ok(Bounds {
            min: add(sum.min, &part.min)?,
            max: add(sum.max, &part.max)?,
        })
    })
}

/// What a dimension contributes at least and at most.
enum Range {
    Amounts(Bounds),
    Factors(Decimal, Decimal),
}

/// The charges of a table whose entries are in order and differ.
fn charges(table: &DimensionTable) -> Result<Vec<&Charge>, PriceModelError> {
    match table {
        DimensionTable::Cases(cases) => {
            for (at, case) in cases.iter().enumerate() {
                if cases
                    .iter()
                    .take(at)
                    .any(|other| other.equals == case.equals)
                {
                    return Err(PriceModelError::DuplicateCase);
                }
            }
            Ok(cases.iter().map(|case| &case.charge).collect())
        }
        DimensionTable::Bands(bands) => {
            rising(bands.iter().map(|band| band.up_to))?;
            Ok(bands.iter().map(|band| &band.charge).collect())
        }
    }
}

fn rising<T: PartialOrd>(ends: impl Iterator<Item = Option<T>>) -> Result<(), PriceModelError> {
    let mut previous: Option<Option<T>> = None;
    for end in ends {
        let follows = match (&previous, &end) {
            (None, _) | (Some(Some(_)), None) => true,
            (Some(Some(before)), Some(end)) => before < end,
            (Some(None), _) => false,
        };
        if !follows {
            return Err(PriceModelError::BandOrder);
        }
        previous = Some(end);
    }
    Ok(())
}

fn range_of(charges: &[&Charge]) -> Result<Range, PriceModelError> {
    let mut prices: Vec<&Price> = Vec::new();
    let mut factors: Vec<Decimal> = Vec::new();
    for charge in charges {
        match charge {
            Charge::Amount(price) => prices.push(price),
            Charge::Factor(factor) => factors.push(*factor),
        }
    }
    let empty = PriceModelError::Empty {
        what: "a dimension",
    };
    if prices.is_empty() {
        let low = factors.iter().min().ok_or_else(|| empty.clone())?;
        let high = factors.iter().max().ok_or(empty)?;
        return Ok(Range::Factors(*low, *high));
    }
    if !factors.is_empty() {
        return Err(PriceModelError::MixedDimension);
    }
    let low = prices
        .iter()
        .min_by_key(|price| price.amount)
        .ok_or_else(|| empty.clone())?;
    let high = prices
        .iter()
        .max_by_key(|price| price.amount)
        .ok_or(empty)?;
    for price in &prices {
        same_unit(&low.unit, &price.unit)?;
    }
    Ok(Range::Amounts(Bounds {
        min: (*low).clone(),
        max: (*high).clone(),
    }))
}

fn rebate_range(rebate: &Rebate) -> Result<(Decimal, Decimal), PriceModelError> {
    if rebate.window_seconds == 0 {
        return Err(PriceModelError::BelowOne {
            what: "the window of a rebate",
        });
    }
    let bands = &rebate.bands;
    rising(bands.iter().map(|band| band.up_to))?;
    if let Some(band) = bands.iter().find(|band| band.factor > Decimal::ONE) {
        return Err(PriceModelError::RebateRaises {
            factor: band.factor,
        });
    }
    let empty = PriceModelError::Empty { what: "a rebate" };
    let low = bands
        .iter()
        .map(|band| band.factor)
        .min()
        .ok_or_else(|| empty.clone())?;
    let high = bands.iter().map(|band| band.factor).max().ok_or(empty)?;
    // Above the last closed band there is no rebate.
    let open = bands.last().is_some_and(|band| band.up_to.is_none());
    Ok((low, if open { high } else { Decimal::ONE }))
}
