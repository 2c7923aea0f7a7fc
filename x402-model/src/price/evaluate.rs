//! The price of one request: a pure function of the model, the request and what its payer bought before.

use super::expr::Price;
use super::facts::{Facts, Volume};
use super::metered::{self, Ceiling};
use super::model::{
    Band, Bounds, Case, CaseValue, Charge, Combine, Dimension, DimensionTable, PriceModel, Rebate,
    RebateBy,
};
use super::read::{self, Signed};
use super::refusal::{PriceError, Wanted};
use super::selector::{Selector, Source};
use crate::money::Decimal;

/// What is due for one call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Due {
    /// This much, which may be zero: then the call is free.
    Exact(Price),
    /// At most this much; what was metered is settled.
    UpTo(Ceiling),
    /// What the seller's quote function says. [`PriceModel::quoted`] holds it against these bounds.
    Quoted(Bounds),
}

/// What has to be known about a request before its price can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Needs {
    /// The body.
    pub body: bool,
    /// What the payer bought before.
    pub volume: bool,
    /// The seller's quote function.
    pub quote: bool,
}

pub(super) fn needs(model: &PriceModel) -> Needs {
    let of_body = |selector: &Selector| selector.source == Source::Body;
    match model {
        PriceModel::Free | PriceModel::Flat { .. } => Needs::default(),
        PriceModel::Tiered {
            dimensions,
            rebates,
            ..
        } => Needs {
            body: dimensions
                .iter()
                .any(|dimension| of_body(&dimension.by) && for_all(&dimension.table).is_none()),
            volume: !rebates.is_empty(),
            quote: false,
        },
        PriceModel::Usage { units, .. } => Needs {
            body: units
                .iter()
                .any(|unit| unit.estimate.as_ref().is_some_and(of_body)),
            ..Needs::default()
        },
        // The quote function gets the whole request.
        PriceModel::Dynamic { .. } => Needs {
            body: true,
            volume: false,
            quote: true,
        },
    }
}

/// The price of one request.
///
/// `volumes` are what the payer bought within the window of each rebate, in the order of the rebates; missing ones
/// count as nothing bought. Every amount that comes out lies within the bounds of the model.
///
/// # Errors
/// [`PriceError`] if the request has no price.
///
/// ```
/// use x402_model::money::Decimal;
/// use x402_model::price::{Due, Facts, Price, PriceModel, PriceUnit, evaluate};
///
/// let cent = Price { amount: Decimal::new(1, 2), unit: PriceUnit::Usd };
/// let flat = PriceModel::Flat { amount: cent.clone() };
/// assert_eq!(evaluate(&flat, &Facts::new(), &[]), Ok(Due::Exact(cent)));
/// ```
pub fn evaluate(
    model: &PriceModel,
    facts: &Facts<'_>,
    volumes: &[Volume],
) -> Result<Due, PriceError> {
    match model {
        PriceModel::Free => Ok(Due::Exact(model.bounds().max)),
        PriceModel::Flat { amount } => Ok(Due::Exact(amount.clone())),
        PriceModel::Tiered {
            dimensions,
            combine,
            rebates,
            bounds,
        } => {
            let charges = dimensions
                .iter()
                .map(|dimension| charge(dimension, facts))
                .collect::<Result<Vec<_>, _>>()?;
            let mut amount = combined(&charges, *combine).ok_or(PriceError::TooLarge)?;
            for (place, rebate) in rebates.iter().enumerate() {
                let volume = volumes.get(place).copied().unwrap_or_default();
                amount = amount
                    .checked_mul(factor(rebate, volume))
                    .ok_or(PriceError::TooLarge)?;
            }
            within(
                Price {
                    amount,
                    unit: bounds.max.unit.clone(),
                },
                bounds,
            )
            .map(Due::Exact)
        }
        PriceModel::Usage { .. } => metered::ceiling(model, facts).map(Due::UpTo),
        PriceModel::Dynamic { .. } => Ok(Due::Quoted(model.bounds())),
    }
}

impl PriceModel {
    /// A price that the seller's quote function gave, if it keeps the published bounds.
    ///
    /// # Errors
    /// [`PriceError::OutOfBounds`] or [`PriceError::OtherUnit`]: the mistake is the seller's, and nothing is offered.
    pub fn quoted(&self, price: Price) -> Result<Price, PriceError> {
        within(price, &self.bounds())
    }
}

fn within(price: Price, bounds: &Bounds) -> Result<Price, PriceError> {
    let bounds = || Box::new(bounds.clone());
    let range = bounds();
    if price.unit != range.max.unit {
        return Err(PriceError::OtherUnit {
            price,
            bounds: range,
        });
    }
    if price.amount < range.min.amount || price.amount > range.max.amount {
        return Err(PriceError::OutOfBounds {
            price,
            bounds: range,
        });
    }
    Ok(price)
}

/// Adds the amounts, or multiplies amount and factors. `None` if that needs too many digits.
fn combined(charges: &[&Charge], combine: Combine) -> Option<Decimal> {
    let mut values = charges.iter().map(|charge| match charge {
        Charge::Amount(price) => price.amount,
        Charge::Factor(factor) => *factor,
    });
    let first = values.next()?;
    values.try_fold(first, |sum, value| match combine {
        Combine::Sum => sum.checked_add(value),
        Combine::Multiply => sum.checked_mul(value),
    })
}

/// The factor of the band that the payer is in. Above the last closed band there is no rebate.
fn factor(rebate: &Rebate, volume: Volume) -> Decimal {
    let bought = match rebate.by {
        RebateBy::Calls => Decimal::checked_new(u128::from(volume.calls), 0),
        RebateBy::Spend => Some(volume.spend),
    };
    let band = rebate.bands.iter().find(|band| {
        band.up_to
            .is_none_or(|end| bought.is_some_and(|bought| bought < end))
    });
    band.map_or(Decimal::ONE, |band| band.factor)
}

fn charge<'m>(dimension: &'m Dimension, facts: &Facts<'_>) -> Result<&'m Charge, PriceError> {
    match &dimension.table {
        table if let Some(charge) = for_all(table) => Ok(charge),
        DimensionTable::Cases(cases) => case(&dimension.by, cases, facts),
        DimensionTable::Bands(bands) => band(&dimension.by, bands, facts),
    }
}

/// The charge of a dimension with one band that has no end. Its value decides nothing, so it is not read: a price that
/// is the same for all requests, but has rebates, is written in this way.
fn for_all(table: &DimensionTable) -> Option<&Charge> {
    match table {
        DimensionTable::Bands(bands) => match bands.as_ref() {
            [
                Band {
                    up_to: None,
                    charge,
                },
            ] => Some(charge),
            _ => None,
        },
        DimensionTable::Cases(_) => None,
    }
}

/// What kind of value the cases are about.
pub(super) fn wanted(cases: &[Case]) -> Wanted {
    match cases.first().map(|case| &case.equals) {
        Some(CaseValue::Integer(_)) => Wanted::Integer,
        Some(CaseValue::Bool(_)) => Wanted::Bool,
        Some(CaseValue::Text(_)) | None => Wanted::Text,
    }
}

fn case<'m>(by: &Selector, cases: &'m [Case], facts: &Facts<'_>) -> Result<&'m Charge, PriceError> {
    let wanted = wanted(cases);
    let reading = read::read(by, wanted, facts)?;
    let found = match wanted {
        Wanted::Integer => {
            let number = reading.number(by, wanted)?;
            cases
                .iter()
                .find(|case| is_number(case, number, by.divide_by))
        }
        Wanted::Bool => {
            let value = reading.truth(by)?;
            cases
                .iter()
                .find(|case| case.equals == CaseValue::Bool(value))
        }
        _ => {
            let text = reading.text(by)?;
            cases
                .iter()
                .find(|case| matches!(&case.equals, CaseValue::Text(value) if value == text))
        }
    };
    found
        .map(|case| &case.charge)
        .ok_or_else(|| PriceError::NoCase {
            selector: Box::new(by.clone()),
            given: reading.shown(),
            listed: listed(cases),
        })
}

fn is_number(case: &Case, number: Signed, divide_by: u64) -> bool {
    let CaseValue::Integer(value) = case.equals else {
        return false;
    };
    let times = u128::from(value.unsigned_abs()).checked_mul(u128::from(divide_by));
    let wanted = times.and_then(|times| Decimal::checked_new(times, 0));
    wanted == Some(number.magnitude) && number.negative == (value < 0)
}

fn listed(cases: &[Case]) -> String {
    let all: Vec<String> = cases
        .iter()
        .map(|case| match &case.equals {
            CaseValue::Text(text) => format!("{text:?}"),
            CaseValue::Integer(number) => number.to_string(),
            CaseValue::Bool(value) => value.to_string(),
        })
        .collect();
    all.join(", ")
}

fn band<'m>(by: &Selector, bands: &'m [Band], facts: &Facts<'_>) -> Result<&'m Charge, PriceError> {
    let reading = read::read(by, Wanted::Number, facts)?;
    let number = reading.number(by, Wanted::Number)?;
    let divisor = Decimal::checked_new(u128::from(by.divide_by), 0).ok_or(PriceError::TooLarge)?;
    for band in bands.iter().filter(|_| !number.negative) {
        let inside = match band.up_to {
            None => true,
            // The quotient may not be finite, the product always is.
            Some(end) => {
                let end = end.checked_mul(divisor).ok_or(PriceError::TooLarge)?;
                number.magnitude <= end
            }
        };
        if inside {
            return Ok(&band.charge);
        }
    }
    let most = bands.last().and_then(|band| band.up_to);
    Err(PriceError::NoBand {
        selector: Box::new(by.clone()),
        given: reading.shown(),
        most: most.map_or_else(|| "any number".to_owned(), |most| most.to_string()),
    })
}
