//! Short ways to write price models.

use std::borrow::Cow;

use x402_model::price::{
    Band, Case, CaseValue, Charge, Combine, Dimension, DimensionTable, Facts, Price, PriceModel,
    PriceUnit, Rebate, Selector, tiered_bounds,
};

pub(crate) fn usd(text: &str) -> Price {
    Price {
        amount: text.parse().unwrap(),
        unit: PriceUnit::Usd,
    }
}

pub(crate) fn amount(text: &str) -> Charge {
    Charge::Amount(usd(text))
}

pub(crate) fn factor(text: &str) -> Charge {
    Charge::Factor(text.parse().unwrap())
}

pub(crate) fn cases<const N: usize>(by: Selector, entries: [(CaseValue, Charge); N]) -> Dimension {
    let entries = entries.map(|(equals, charge)| Case { equals, charge });
    Dimension {
        by,
        table: DimensionTable::Cases(entries.to_vec().into()),
    }
}

pub(crate) fn bands<const N: usize>(
    by: Selector,
    entries: [(Option<&str>, Charge); N],
) -> Dimension {
    let entries = entries.map(|(end, charge)| Band {
        up_to: end.map(|end| end.parse().unwrap()),
        charge,
    });
    Dimension {
        by,
        table: DimensionTable::Bands(entries.to_vec().into()),
    }
}

pub(crate) fn text(value: &'static str) -> CaseValue {
    CaseValue::Text(Cow::Borrowed(value))
}

pub(crate) fn tiered(
    dimensions: Vec<Dimension>,
    combine: Combine,
    rebates: Vec<Rebate>,
) -> PriceModel {
    let bounds = tiered_bounds(&dimensions, combine, &rebates).unwrap();
    let model = PriceModel::Tiered {
        dimensions: dimensions.into(),
        combine,
        rebates: rebates.into(),
        bounds,
    };
    assert_eq!(model.check(), Ok(()));
    model
}

pub(crate) fn with_body(body: &str) -> Facts<'_> {
    Facts::new().body(body.as_bytes())
}
