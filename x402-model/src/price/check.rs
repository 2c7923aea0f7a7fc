//! The rules of price models that types cannot hold, and the bounds of tiered prices.

mod selectors;
mod tables;

use super::expr::{Price, PriceUnit};
use super::fault::PriceModelError;
use super::metered::common_multiple;
use super::model::{Bounds, Combine, Dimension, PriceModel, Quote, Rebate, UsageUnit};
use super::outcomes;
use crate::money::Decimal;
use tables::Range;

/// Checks one model.
pub(super) fn model(model: &PriceModel) -> Result<(), PriceModelError> {
    match model {
        PriceModel::Free => return Ok(()),
        PriceModel::Flat { .. } => {}
        PriceModel::Dynamic { quote, .. } => {
            let (Quote::Required402 { ttl_seconds } | Quote::Endpoint { ttl_seconds, .. }) = quote;
            if *ttl_seconds == 0 {
                return Err(PriceModelError::QuoteOver);
            }
        }
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
        selectors::quantity(&unit.meter)?;
        if let Some(estimate) = &unit.estimate {
            selectors::before_call(estimate)?;
            selectors::quantity(estimate)?;
        }
    }
    let divisors = |estimated: bool| {
        units.iter().map(move |unit| {
            let place = unit.estimate.as_ref().filter(|_| estimated);
            let divide_by = place.unwrap_or(&unit.meter).divide_by;
            u128::from(unit.per).checked_mul(divide_by.into())
        })
    };
    for estimated in [false, true] {
        common_multiple(divisors(estimated)).ok_or(PriceModelError::Divisors)?;
    }
    Ok(())
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
        selectors::before_call(&dimension.by)?;
        match tables::range_of(dimension)? {
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
        let (low, high) = tables::rebate_range(rebate)?;
        least = product(least, low)?;
        most = product(most, high)?;
    }
    let total = sum_of(amounts)?;
    // Refuses amounts between the bounds that need more digits than the bounds do.
    outcomes::amounts(dimensions, combine, rebates)?;
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
