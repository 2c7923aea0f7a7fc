//! Writes a price model as a manifest has it; the way back from [`PriceEntry::to_model`].

use serde::Serialize;
use serde_json::{Map, Value};

use super::amount::Amount;
use super::period::Period;
use super::price::{
    BandEntry, BoundsEntry, CaseEntry, DimensionEntry, PriceEntry, QuoteEntry, RebateEntry,
    SelectorEntry, UnitEntry,
};
use crate::money::Decimal;
use crate::price::{
    Band, Case, CaseValue, Charge, Combine, Dimension, DimensionTable, Measure, PriceModel, Quote,
    Rebate, RebateBy, Selector, UsageUnit,
};

impl PriceEntry {
    /// The price of a model, in the unit of the manifest.
    ///
    /// # Errors
    /// Nothing that a model of this crate holds; only what JSON cannot express.
    pub fn of(model: &PriceModel) -> Result<Self, serde_json::Error> {
        let bounds = model.bounds();
        let mut rule = Rule(Map::new());
        match model {
            PriceModel::Flat { amount } => rule.set("amount", &Amount(amount.amount))?,
            PriceModel::Tiered {
                dimensions,
                combine,
                rebates,
                ..
            } => {
                let combine = match combine {
                    Combine::Multiply => "multiply",
                    Combine::Sum => "sum",
                };
                rule.set("combine", &combine)?;
                rule.set("dimensions", &all(dimensions, dimension))?;
                if !rebates.is_empty() {
                    rule.set("rebates", &all(rebates, rebate))?;
                }
            }
            PriceModel::Usage {
                base,
                units,
                rounding,
                headroom,
                ..
            } => {
                if let Some(base) = base {
                    rule.set("base", &Amount(base.amount))?;
                }
                rule.set("units", &all(units, unit))?;
                rule.set("rounding", &rounding.as_str())?;
                if *headroom != Decimal::ONE {
                    rule.set("headroom", &Amount(*headroom))?;
                }
            }
            PriceModel::Dynamic { quote, factors, .. } => {
                rule.set("quote", &quote_entry(quote))?;
                if !factors.is_empty() {
                    rule.set("factors", factors)?;
                }
            }
            PriceModel::Free => {}
        }
        Ok(Self {
            model: model.name().to_owned(),
            bounds: BoundsEntry {
                min: Amount(bounds.min.amount),
                max: Amount(bounds.max.amount),
                typical: None,
            },
            rule: rule.0,
        })
    }
}

struct Rule(Map<String, Value>);

impl Rule {
    fn set<T: Serialize + ?Sized>(
        &mut self,
        name: &str,
        value: &T,
    ) -> Result<(), serde_json::Error> {
        self.0.insert(name.to_owned(), serde_json::to_value(value)?);
        Ok(())
    }
}

fn all<T, E>(list: &[T], one: impl Fn(&T) -> E) -> Vec<E> {
    list.iter().map(one).collect()
}

fn selector(selector: &Selector) -> SelectorEntry {
    SelectorEntry {
        source: selector.source.as_str().to_owned(),
        pointer: selector.pointer.to_string(),
        measure: (selector.measure != Measure::Value).then(|| selector.measure.as_str().to_owned()),
        divide_by: (selector.divide_by != 1).then_some(selector.divide_by),
        default: selector.default.as_ref().map(CaseValue::to_json),
    }
}

const fn charge(charge: &Charge) -> (Option<Amount>, Option<Amount>) {
    match charge {
        Charge::Amount(price) => (Some(Amount(price.amount)), None),
        Charge::Factor(factor) => (None, Some(Amount(*factor))),
    }
}

/// Small whole ends are numbers, all others strings: a JSON number may pass through a float.
fn end(end: Option<Decimal>) -> Option<Value> {
    let end = end?.normalized();
    let small = u32::try_from(end.mantissa())
        .ok()
        .filter(|_| end.scale() == 0);
    Some(small.map_or_else(|| Value::from(end.to_string()), Value::from))
}

fn dimension(dimension: &Dimension) -> DimensionEntry {
    let (cases, bands) = match &dimension.table {
        DimensionTable::Cases(cases) => (Some(all(cases, case)), None),
        DimensionTable::Bands(bands) => (None, Some(all(bands, band))),
    };
    DimensionEntry {
        by: selector(&dimension.by),
        cases,
        bands,
    }
}

fn case(case: &Case) -> CaseEntry {
    let (amount, factor) = charge(&case.charge);
    CaseEntry {
        equals: case.equals.to_json(),
        amount,
        factor,
    }
}

fn band(band: &Band) -> BandEntry {
    let (amount, factor) = charge(&band.charge);
    BandEntry {
        up_to: end(band.up_to),
        amount,
        factor,
    }
}

fn rebate(rebate: &Rebate) -> RebateEntry {
    RebateEntry {
        kind: match rebate.by {
            RebateBy::Calls => "volume",
            RebateBy::Spend => "spend",
        }
        .to_owned(),
        scope: "payer".to_owned(),
        window: Period {
            seconds: rebate.window_seconds,
        },
        bands: all(&rebate.bands, |band| BandEntry {
            up_to: end(band.up_to),
            amount: None,
            factor: Some(Amount(band.factor)),
        }),
    }
}

fn unit(unit: &UsageUnit) -> UnitEntry {
    UnitEntry {
        id: unit.id.to_string(),
        per: unit.per,
        amount: Amount(unit.amount.amount),
        meter: selector(&unit.meter),
        estimate: unit.estimate.as_ref().map(selector),
    }
}

fn quote_entry(quote: &Quote) -> QuoteEntry {
    match quote {
        Quote::Required402 { ttl_seconds } => QuoteEntry {
            how: "402".to_owned(),
            endpoint: None,
            ttl_seconds: *ttl_seconds,
        },
        Quote::Endpoint { id, ttl_seconds } => QuoteEntry {
            how: "endpoint".to_owned(),
            endpoint: Some(id.to_string()),
            ttl_seconds: *ttl_seconds,
        },
    }
}
