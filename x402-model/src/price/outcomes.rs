//! Every amount that a price can come to, so that each can be held against an asset before the first call.

use std::collections::BTreeSet;

use super::expr::Price;
use super::fault::PriceModelError;
use super::model::{Charge, Combine, Dimension, DimensionTable, PriceModel, Rebate};
use crate::money::Decimal;

/// Most amounts of one model that are looked at.
pub const MAX_OUTCOMES: usize = 10_000;

/// An amount that an asset cannot express, or a model with too many amounts to look at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Inexact {
    /// More decimal places than the asset has.
    #[error("{amount} is no whole count of units of {decimals} decimals")]
    Amount {
        /// The amount.
        amount: Price,
        /// Decimals of the asset.
        decimals: u8,
    },
    /// The amounts cannot be listed: the model does not pass its check.
    #[error("{0}")]
    Model(PriceModelError),
}

pub(super) fn exact_on(model: &PriceModel, decimals: u8) -> Result<(), Inexact> {
    let bounds = model.bounds();
    let exact = |amount: Decimal| {
        amount
            .to_atomic(decimals)
            .map(drop)
            .map_err(|_| Inexact::Amount {
                amount: Price {
                    amount,
                    unit: bounds.max.unit.clone(),
                },
                decimals,
            })
    };
    match model {
        PriceModel::Tiered {
            dimensions,
            combine,
            rebates,
            ..
        } => {
            let amounts = amounts(dimensions, *combine, rebates).map_err(Inexact::Model)?;
            amounts.into_iter().try_for_each(exact)
        }
        // A metered sum is rounded as declared, and a quote is looked at when it is made: the ends have to be exact.
        PriceModel::Free
        | PriceModel::Flat { .. }
        | PriceModel::Usage { .. }
        | PriceModel::Dynamic { .. } => {
            exact(bounds.min.amount)?;
            exact(bounds.max.amount)
        }
    }
}

/// Every amount that dimensions and rebates can come to, in rising order.
pub(super) fn amounts(
    dimensions: &[Dimension],
    combine: Combine,
    rebates: &[Rebate],
) -> Result<BTreeSet<Decimal>, PriceModelError> {
    let mut all: Option<BTreeSet<Decimal>> = None;
    for dimension in dimensions {
        let values = values(&dimension.table);
        all = Some(match all {
            None => values.into_iter().collect(),
            Some(before) => every(&before, &values, combine)?,
        });
    }
    let mut all = all.unwrap_or_default();
    for rebate in rebates {
        let mut factors: Vec<Decimal> = rebate.bands.iter().map(|band| band.factor).collect();
        if rebate.bands.last().is_some_and(|band| band.up_to.is_some()) {
            factors.push(Decimal::ONE);
        }
        all = every(&all, &factors, Combine::Multiply)?;
    }
    Ok(all)
}

fn values(table: &DimensionTable) -> Vec<Decimal> {
    let value = |charge: &Charge| match charge {
        Charge::Amount(price) => price.amount,
        Charge::Factor(factor) => *factor,
    };
    match table {
        DimensionTable::Cases(cases) => cases.iter().map(|case| value(&case.charge)).collect(),
        DimensionTable::Bands(bands) => bands.iter().map(|band| value(&band.charge)).collect(),
    }
}

fn every(
    left: &BTreeSet<Decimal>,
    right: &[Decimal],
    combine: Combine,
) -> Result<BTreeSet<Decimal>, PriceModelError> {
    if left.len().saturating_mul(right.len()) > MAX_OUTCOMES {
        return Err(PriceModelError::TooManyOutcomes {
            limit: MAX_OUTCOMES,
        });
    }
    left.iter()
        .flat_map(|left| right.iter().map(move |right| (left, right)))
        .map(|(left, right)| {
            match combine {
                Combine::Sum => left.checked_add(*right),
                Combine::Multiply => left.checked_mul(*right),
            }
            .ok_or(PriceModelError::TooManyDigits)
        })
        .collect()
}
