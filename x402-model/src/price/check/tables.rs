//! The entries of dimensions and rebates: in order, different from each other, and none of them out of reach.

use super::super::expr::Price;
use super::super::fault::PriceModelError;
use super::super::model::{
    Band, Bounds, Case, Charge, Dimension, DimensionTable, Rebate, RebateBy,
};
use super::super::selector::Measure;
use super::{same_unit, selectors};
use crate::money::Decimal;

/// What a dimension contributes at least and at most.
pub(super) enum Range {
    Amounts(Bounds),
    Factors(Decimal, Decimal),
}

/// What a dimension contributes, if its entries are in order, differ, and can be compared with what it selects.
pub(super) fn range_of(dimension: &Dimension) -> Result<Range, PriceModelError> {
    let by = &dimension.by;
    let charges: Vec<&Charge> = match &dimension.table {
        DimensionTable::Cases(cases) => {
            differing(cases)?;
            selectors::compared_with_cases(by, cases)?;
            cases.iter().map(|case| &case.charge).collect()
        }
        DimensionTable::Bands(bands) => {
            rising(bands.iter().map(|band| band.up_to))?;
            if by.measure != Measure::Value {
                inhabited(bands, by.divide_by)?;
            }
            selectors::compared_with_bands(by, bands)?;
            bands.iter().map(|band| &band.charge).collect()
        }
    };
    range(&charges)
}

fn differing(cases: &[Case]) -> Result<(), PriceModelError> {
    for (at, case) in cases.iter().enumerate() {
        if cases
            .iter()
            .take(at)
            .any(|other| other.equals == case.equals)
        {
            return Err(PriceModelError::DuplicateCase);
        }
    }
    Ok(())
}

/// Counts are whole numbers: each band has to hold one more of them than the bands before it.
fn inhabited(bands: &[Band], divide_by: u64) -> Result<(), PriceModelError> {
    let mut counted: Option<Decimal> = None;
    for end in bands.iter().filter_map(|band| band.up_to) {
        let last = Decimal::checked_new(divide_by.into(), 0)
            .and_then(|divisor| end.checked_mul(divisor))
            .map(Decimal::whole_part)
            .ok_or(PriceModelError::TooManyDigits)?;
        if counted.is_some_and(|counted| last <= counted) {
            return Err(PriceModelError::EmptyBand { end });
        }
        counted = Some(last);
    }
    Ok(())
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

fn range(charges: &[&Charge]) -> Result<Range, PriceModelError> {
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

pub(super) fn rebate_range(rebate: &Rebate) -> Result<(Decimal, Decimal), PriceModelError> {
    if rebate.window_seconds == 0 {
        return Err(PriceModelError::BelowOne {
            what: "the window of a rebate",
        });
    }
    let bands = &rebate.bands;
    let ends = bands.iter().filter_map(|band| band.up_to);
    if rebate.by == RebateBy::Calls
        && let Some(end) = ends.into_iter().find(|end| end.whole_part() != *end)
    {
        return Err(PriceModelError::PartOfACall { end });
    }
    if bands
        .first()
        .is_some_and(|band| band.up_to.is_some_and(Decimal::is_zero))
    {
        return Err(PriceModelError::EmptyBand { end: Decimal::ZERO });
    }
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
