//! Differences of prices.

use super::super::document::Manifest;
use super::super::endpoint::EndpointEntry;
use super::{Findings, Money, Wire};
use crate::money::Decimal;
use crate::price::{
    Case, CaseValue, Charge, Dimension, DimensionTable, PriceModel, Rebate, Selector, UsageUnit,
};

pub(super) fn price(
    old: &Manifest,
    before: &EndpointEntry,
    new: &Manifest,
    after: &EndpointEntry,
    place: &str,
    found: &mut Findings,
) {
    let place = format!("{place}/price");
    let (bounds, others) = (&before.price.bounds, &after.price.bounds);
    if others.max > bounds.max {
        found.add(
            &place,
            "calls may cost more than was promised",
            Wire::Patch,
            Money::CapRaised,
        );
    } else if others.max < bounds.max {
        found.add(&place, "the most is lower", Wire::Patch, Money::Cheaper);
    }
    if before.price.model != after.price.model {
        found.silent(&place, "another price model", Wire::Minor, Money::Costlier);
        return;
    }
    let models = (old.price_model(before), new.price_model(after));
    let (Ok(Some(model)), Ok(Some(other))) = models else {
        if before.price.rule != after.price.rule {
            found.silent(&place, "another rule", Wire::Minor, Money::Costlier);
        }
        return;
    };
    let mut tally = Tally::default();
    tally.compare(&model, &other);
    let what = "other prices";
    let money = match (tally.up, tally.down) {
        (true, _) => Money::Costlier,
        (false, true) => Money::Cheaper,
        (false, false) if others.min > bounds.min => Money::Costlier,
        _ => Money::None,
    };
    if tally.gone {
        found.add(
            &place,
            "a value has no price any more",
            Wire::Major,
            Money::None,
        );
    }
    if money != Money::None || tally.reshaped {
        let money = if tally.reshaped {
            Money::Costlier
        } else {
            money
        };
        if tally.reshaped || tally.default_up {
            found.silent(&place, what, Wire::Patch, money);
        } else {
            found.add(&place, what, Wire::Patch, money);
        }
    }
}

/// What was found in one price.
#[derive(Default)]
struct Tally {
    up: bool,
    down: bool,
    /// A value that had a price has none.
    gone: bool,
    /// Something else decides.
    reshaped: bool,
    /// Whoever leaves a value out pays more.
    default_up: bool,
}

impl Tally {
    fn amount(&mut self, before: Decimal, after: Decimal) {
        self.up |= after > before;
        self.down |= after < before;
    }

    fn charge(&mut self, before: &Charge, after: &Charge) {
        match (before, after) {
            (Charge::Amount(before), Charge::Amount(after)) => {
                self.amount(before.amount, after.amount)
            }
            (Charge::Factor(before), Charge::Factor(after)) => self.amount(*before, *after),
            _ => self.reshaped = true,
        }
    }

    fn compare(&mut self, before: &PriceModel, after: &PriceModel) {
        match (before, after) {
            (PriceModel::Flat { amount }, PriceModel::Flat { amount: other }) => {
                self.amount(amount.amount, other.amount);
            }
            (
                PriceModel::Tiered {
                    dimensions,
                    combine,
                    rebates,
                    ..
                },
                PriceModel::Tiered {
                    dimensions: others,
                    combine: how,
                    rebates: later,
                    ..
                },
            ) => {
                self.reshaped |= combine != how || dimensions.len() != others.len();
                for (before, after) in dimensions.iter().zip(others.iter()) {
                    self.dimension(before, after);
                }
                self.rebates(rebates, later);
            }
            (
                PriceModel::Usage {
                    base,
                    units,
                    rounding,
                    ..
                },
                PriceModel::Usage {
                    base: other,
                    units: later,
                    rounding: how,
                    ..
                },
            ) => {
                let zero = Decimal::ZERO;
                let amount = |price: &Option<crate::price::Price>| {
                    price.as_ref().map_or(zero, |price| price.amount)
                };
                self.amount(amount(base), amount(other));
                self.reshaped |= rounding != how;
                self.units(units, later);
            }
            _ => {}
        }
    }

    fn dimension(&mut self, before: &Dimension, after: &Dimension) {
        self.reshaped |= !same_place(&before.by, &after.by);
        match (&before.table, &after.table) {
            (DimensionTable::Cases(cases), DimensionTable::Cases(others)) => {
                for case in cases.iter() {
                    match others.iter().find(|other| other.equals == case.equals) {
                        Some(other) => self.charge(&case.charge, &other.charge),
                        None => self.gone = true,
                    }
                }
                self.left_out(before, after, cases, others);
            }
            (DimensionTable::Bands(bands), DimensionTable::Bands(others)) => {
                self.reshaped |= bands.len() != others.len();
                for (band, other) in bands.iter().zip(others.iter()) {
                    self.charge(&band.charge, &other.charge);
                    // An edge that comes down puts more into the next band.
                    match (band.up_to, other.up_to) {
                        (Some(before), Some(after)) => self.amount(after, before),
                        (before, after) => self.reshaped |= before != after,
                    }
                }
            }
            _ => self.reshaped = true,
        }
    }

    /// What is charged for a value that is left out.
    fn left_out(&mut self, before: &Dimension, after: &Dimension, cases: &[Case], others: &[Case]) {
        if before.by.default == after.by.default {
            return;
        }
        let charged = |default: &Option<CaseValue>, cases: &[Case]| {
            let default = default.as_ref()?;
            let case = cases.iter().find(|case| case.equals == *default)?;
            Some(match &case.charge {
                Charge::Amount(price) => price.amount,
                Charge::Factor(factor) => *factor,
            })
        };
        match (
            charged(&before.by.default, cases),
            charged(&after.by.default, others),
        ) {
            (Some(before), Some(after)) => {
                self.amount(before, after);
                self.default_up |= after > before;
            }
            (Some(_), None) => self.gone = true,
            _ => {}
        }
    }

    fn rebates(&mut self, before: &[Rebate], after: &[Rebate]) {
        self.down |= after.len() > before.len();
        self.up |= after.len() < before.len();
        for (old, new) in before.iter().zip(after) {
            let alike = old.by == new.by && old.bands.len() == new.bands.len();
            self.reshaped |= !alike || old.window_seconds != new.window_seconds;
            for (band, other) in old.bands.iter().zip(new.bands.iter()) {
                self.amount(band.factor, other.factor);
                if let (Some(before), Some(after)) = (band.up_to, other.up_to) {
                    self.amount(before, after);
                }
            }
        }
    }

    fn units(&mut self, before: &[UsageUnit], after: &[UsageUnit]) {
        for unit in before {
            let Some(other) = after.iter().find(|other| other.id == unit.id) else {
                self.down = true;
                continue;
            };
            self.reshaped |= !same_place(&unit.meter, &other.meter);
            // Prices of one: a / p against b / q.
            let (per, each) = (u128::from(unit.per), u128::from(other.per));
            let one = |amount: Decimal, times: u128| {
                Decimal::checked_new(times, 0).and_then(|times| amount.checked_mul(times))
            };
            match (one(unit.amount.amount, each), one(other.amount.amount, per)) {
                (Some(before), Some(after)) => self.amount(before, after),
                _ => self.reshaped = true,
            }
        }
        let known = |id: &str| before.iter().any(|unit| unit.id == id);
        self.up |= after.iter().any(|unit| !known(&unit.id));
    }
}

/// Whether two selectors look at the same thing, whatever counts where it is missing.
fn same_place(before: &Selector, after: &Selector) -> bool {
    before.source == after.source
        && before.pointer == after.pointer
        && before.measure == after.measure
        && before.divide_by == after.divide_by
}
