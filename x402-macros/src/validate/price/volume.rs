//! Rules about `rebate = volume(…)`: calls or money, rising, and never dearer than before.

use std::borrow::Cow;

use syn::LitStr;
use x402_model::money::Decimal;
use x402_model::price::{
    Band, Charge, Combine, Dimension, DimensionTable, Measure, Price, PriceModel, Rebate,
    RebateBand, RebateBy, Selector, Source, tiered_bounds,
};

use super::tiers::Checked;
use super::{Amount, Rail, amount, factor, report, seconds};
use crate::diag::Diagnostics;
use crate::syntax::price::table::{RawAfter, RawStep, RawVolume};

/// The rebate, in the unit of the first of the amounts.
pub(super) fn rebate(
    raw: &RawVolume,
    amounts: &[Amount],
    rails: &[Rail],
    d: &mut Diagnostics,
) -> Option<Rebate> {
    let before = d.count();
    let window_seconds = seconds(&raw.window, d);
    let Some(first) = raw.steps.first() else {
        d.error(raw.at, "this rebate has no factor")
            .help("say how much has to be bought before: `volume(\"30d\", 1_000 => \"x0.5\")`");
        return None;
    };
    let by = match first.after {
        RawAfter::Calls(_) => RebateBy::Calls,
        RawAfter::Spend(_) => RebateBy::Spend,
    };
    let unit = amounts.first().map(|amount| &amount.price);
    let mut steps: Vec<(Decimal, Decimal)> = Vec::new();
    for step in &raw.steps {
        let Some(end) = end(step, by, unit, rails, d) else {
            continue;
        };
        if end.is_zero() {
            d.error_over(
                &step.tokens,
                "this holds for every call, so it is no rebate",
            )
            .help("write it into the price");
        } else if steps.last().is_some_and(|(before, _)| end <= *before) {
            d.error_over(&step.tokens, "the steps of a rebate rise")
                .help("write the larger volume after the smaller one");
        }
        if let Some(factor) = step_factor(&step.factor, d) {
            steps.push((end, factor));
        }
    }
    if d.count() > before {
        return None;
    }
    let factors = core::iter::once(Decimal::ONE).chain(steps.iter().map(|(_, factor)| *factor));
    let ends = steps.iter().map(|(end, _)| Some(*end)).chain([None]);
    let bands: Vec<RebateBand> = ends
        .zip(factors)
        .map(|(up_to, factor)| RebateBand { up_to, factor })
        .collect();
    Some(Rebate {
        by,
        window_seconds: window_seconds?,
        bands: bands.into(),
    })
}

fn end(
    step: &RawStep,
    by: RebateBy,
    unit: Option<&Price>,
    rails: &[Rail],
    d: &mut Diagnostics,
) -> Option<Decimal> {
    match (&step.after, by) {
        (RawAfter::Calls(calls), RebateBy::Calls) => Decimal::checked_new(u128::from(*calls), 0),
        (RawAfter::Spend(literal), RebateBy::Spend) => {
            let spend = amount(literal, true, rails, d)?;
            if let Some(other) = unit.filter(|price| price.unit != spend.price.unit) {
                let (unit, wrong) = (&other.unit, &spend.price.unit);
                d.error(
                    literal.span(),
                    format!("the price is in {unit}, and this volume in {wrong}"),
                )
                .help(format!("write `{} {unit}`", spend.price.amount));
            }
            Some(spend.price.amount)
        }
        _ => {
            d.error_over(&step.tokens, "a rebate counts calls or money, not both")
                .help("write whole numbers for calls, or amounts such as `\"100 USDC\"`");
            None
        }
    }
}

/// Rule: a rebate is a factor of at most 1.
fn step_factor(literal: &LitStr, d: &mut Diagnostics) -> Option<Decimal> {
    let Some(factor) = factor(literal, d) else {
        d.error(literal.span(), "a rebate is a factor on the price")
            .help("write it as in `\"x0.5\"`, for half the price");
        return None;
    };
    let factor = factor?;
    if factor > Decimal::ONE {
        d.error(
            literal.span(),
            format!("a rebate of {factor} raises the price"),
        )
        .help("write a factor of at most 1: `\"x0.8\"` takes off a fifth");
        return None;
    }
    Some(factor)
}

/// One price for every call, with a rebate: a tier that everything is in.
pub(super) fn of_flat(
    literal: &LitStr,
    price: Price,
    raw: &RawVolume,
    d: &mut Diagnostics,
) -> Option<Checked> {
    let amounts = vec![Amount {
        literal: literal.clone(),
        price: price.clone(),
    }];
    let rebates = vec![rebate(raw, &amounts, &[], d)?];
    let everything = Band {
        up_to: None,
        charge: Charge::Amount(price),
    };
    let dimensions = vec![Dimension {
        by: Selector::at(Source::Body, "").measured(Measure::Bytes),
        table: DimensionTable::Bands(Cow::Owned(vec![everything])),
    }];
    let bounds = match tiered_bounds(&dimensions, Combine::Multiply, &rebates) {
        Ok(bounds) => bounds,
        Err(error) => {
            report(raw.at, &error, d);
            return None;
        }
    };
    let model = PriceModel::Tiered {
        dimensions: dimensions.into(),
        combine: Combine::Multiply,
        rebates: rebates.into(),
        bounds,
    };
    Some((raw.at, model, amounts))
}
