//! The rule of a price in rows: what decides about it, and by how much.

use x402_runtime::model::manifest::Period;
use x402_runtime::model::price::{
    CaseValue, Charge, Dimension, DimensionTable, PriceModel, Rebate, RebateBy, UsageUnit,
};

use super::money;

/// Labels and texts of the rows of a model; foreign words stand in them as they are.
pub(super) fn rows(model: &PriceModel) -> Vec<(&'static str, String)> {
    match model {
        PriceModel::Tiered {
            dimensions,
            rebates,
            ..
        } => {
            let by = dimensions
                .iter()
                .map(|dimension| ("by", self::dimension(dimension)));
            let rebates = rebates
                .iter()
                .map(|rebate| ("rebate", self::rebate(rebate)));
            by.chain(rebates).collect()
        }
        PriceModel::Usage { base, units, .. } => {
            let base = base.iter().map(|base| ("base", base.to_string()));
            base.chain(units.iter().map(|unit| ("metered", metered(unit))))
                .collect()
        }
        PriceModel::Dynamic { factors, .. } if !factors.is_empty() => {
            vec![("by", factors.join(", "))]
        }
        _ => Vec::new(),
    }
}

fn charge(charge: &Charge) -> String {
    match charge {
        Charge::Amount(price) => price.to_string(),
        Charge::Factor(factor) => format!("×{factor}"),
    }
}

fn value(value: &CaseValue) -> String {
    match value {
        CaseValue::Text(text) => text.to_string(),
        CaseValue::Integer(number) => number.to_string(),
        CaseValue::Bool(truth) => truth.to_string(),
    }
}

fn up_to(end: Option<impl std::fmt::Display>) -> String {
    end.map_or_else(|| "more".to_owned(), |end| format!("up to {end}"))
}

/// `` `quality` of the body: draft 0.002 USD, deep 0.02 USD; standard if it is missing``.
fn dimension(dimension: &Dimension) -> String {
    let entries: Vec<String> = match &dimension.table {
        DimensionTable::Cases(cases) => cases
            .iter()
            .map(|case| format!("{} {}", value(&case.equals), charge(&case.charge)))
            .collect(),
        DimensionTable::Bands(bands) => bands
            .iter()
            .map(|band| format!("{} {}", up_to(band.up_to), charge(&band.charge)))
            .collect(),
    };
    let divided = match dimension.by.divide_by {
        1 => String::new(),
        by => format!(" divided by {by}"),
    };
    let missing = dimension.by.default.as_ref().map(value);
    let missing = missing.map(|value| format!("; {value} if it is missing"));
    format!(
        "{}{divided}: {}{}",
        dimension.by,
        entries.join(", "),
        missing.unwrap_or_default()
    )
}

fn rebate(rebate: &Rebate) -> String {
    let counted = match rebate.by {
        RebateBy::Spend => "money spent",
        _ => "calls bought",
    };
    let bands = rebate.bands.iter();
    let bands: Vec<String> = bands
        .map(|band| format!("{} ×{}", up_to(band.up_to), band.factor))
        .collect();
    let window = money::period(Period {
        seconds: rebate.window_seconds,
    });
    format!("{counted} in {window}: {}", bands.join(", "))
}

fn metered(unit: &UsageUnit) -> String {
    format!(
        "{} for {} {}, from {}",
        unit.amount, unit.per, unit.id, unit.meter
    )
}
