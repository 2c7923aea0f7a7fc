//! Rules about `tiers(…)`: entries that differ, rise and can be reached, amounts or factors where each belongs.

use proc_macro2::Span;
use x402_model::price::{
    Band, Bounds, Case, CaseValue, Charge, Combine, Dimension, DimensionTable, PriceModel,
    tiered_bounds,
};

use super::fields::{Handler, When, of_case};
use super::{Amount, Rail, amount, factor, report, same_unit, volume};
use crate::diag::Diagnostics;
use crate::model::Compared;
use crate::syntax::price::table::{RawDimension, RawEntry, RawKey, RawTiers, RawVolume};

/// The model, its place and its amounts.
pub(super) type Checked = (Span, PriceModel, Vec<Amount>);

/// Every rule of a tiered price.
pub(super) fn check(
    tiers: &RawTiers,
    rebate: Option<&RawVolume>,
    handler: &mut Handler<'_>,
    rails: &[Rail],
    d: &mut Diagnostics,
) -> Option<Checked> {
    let before = d.count();
    let mut amounts = Vec::new();
    let dimensions: Vec<Dimension> = tiers
        .dimensions
        .iter()
        .filter_map(|raw| dimension(raw, tiers.combine, handler, rails, &mut amounts, d))
        .collect();
    let combine = combination(tiers, d);
    same_unit(&amounts, d);
    if d.count() > before {
        return None;
    }
    with_amounts(&dimensions, combine, tiers.at, d);
    let rebates: Vec<_> = rebate
        .and_then(|rebate| volume::rebate(rebate, &amounts, rails, d))
        .into_iter()
        .collect();
    if d.count() > before {
        return None;
    }
    let bounds: Bounds = match tiered_bounds(&dimensions, combine, &rebates) {
        Ok(bounds) => bounds,
        Err(error) => {
            report(tiers.at, &error, d);
            return None;
        }
    };
    let model = PriceModel::Tiered {
        dimensions: dimensions.into(),
        combine,
        rebates: rebates.into(),
        bounds,
    };
    Some((tiers.at, model, amounts))
}

/// Rule: several dimensions say how they make one price.
fn combination(tiers: &RawTiers, d: &mut Diagnostics) -> Combine {
    if tiers.combine.is_none() && tiers.dimensions.len() > 1 {
        d.error(
            tiers.at,
            "nothing says how these dimensions make one price",
        )
        .help("begin with `multiply`, for one of amounts and others of factors: `tiers(multiply, by = …)`")
        .help("or with `add`, for amounts everywhere");
    }
    tiers.combine.unwrap_or(Combine::Multiply)
}

/// Rule: a product has one dimension of amounts, a sum has nothing else.
fn with_amounts(dimensions: &[Dimension], combine: Combine, at: Span, d: &mut Diagnostics) {
    let is_amount = |charge: &Charge| matches!(charge, Charge::Amount(_));
    let of_amounts = |dimension: &&Dimension| match &dimension.table {
        DimensionTable::Cases(cases) => cases.iter().any(|case| is_amount(&case.charge)),
        DimensionTable::Bands(bands) => bands.iter().any(|band| is_amount(&band.charge)),
    };
    let count = dimensions.iter().filter(of_amounts).count();
    if combine == Combine::Multiply && count != 1 {
        d.error(
            at,
            format!("{count} dimensions have amounts, and a product has exactly one"),
        )
        .help("write factors such as `\"x3\"` in all others, or begin with `add`");
    }
}

fn dimension(
    raw: &RawDimension,
    combine: Option<Combine>,
    handler: &mut Handler<'_>,
    rails: &[Rail],
    amounts: &mut Vec<Amount>,
    d: &mut Diagnostics,
) -> Option<Dimension> {
    let before = d.count();
    let Some(first) = raw.entries.first() else {
        d.error_over(&raw.by.tokens, "no value of this has a price")
            .help("list what each costs: `\"fast\" => \"0.01 USDC\"`, or `..=1_000 => \"0.01 USDC\"` for numbers");
        return None;
    };
    let compared = match &first.key {
        RawKey::Case(value) => of_case(value),
        RawKey::Band(_) => Compared::Number,
    };
    let by = handler.selector(&raw.by, When::BeforeCall, compared, d);
    let charges: Vec<Charge> = raw
        .entries
        .iter()
        .filter_map(|entry| charge(entry, combine, rails, amounts, d))
        .collect();
    one_kind_of_charge(raw, &charges, d);
    if let ([only], RawKey::Band(None)) = (raw.entries.as_slice(), &first.key) {
        d.error_over(&only.tokens, "everything is in this band, so nothing depends on the value")
            .help("a price that is the same for every call is written as a string: `price = \"0.01 USDC\"`");
    }
    let table = match &first.key {
        RawKey::Case(first) => cases(first, raw, &charges, d),
        RawKey::Band(_) => bands(raw, &charges, d),
    };
    if d.count() > before {
        return None;
    }
    let dimension = Dimension { by: by?, table };
    // The amounts of this dimension alone: what is wrong now is wrong with its selector, or with its values as a whole.
    let error = tiered_bounds(core::slice::from_ref(&dimension), Combine::Sum, &[]).err();
    use x402_model::price::PriceModelError as E;
    match error {
        // Mixed units are reported at the amount.
        None | Some(E::FactorInSum | E::MixedUnits { .. }) => {}
        Some(error) => report_over(raw, &error, d),
    }
    Some(dimension)
}

fn report_over(
    raw: &RawDimension,
    error: &x402_model::price::PriceModelError,
    d: &mut Diagnostics,
) {
    let text = error.to_string();
    match text.split_once(": ") {
        Some((message, help)) => d.error_over(&raw.by.tokens, message).help(help),
        None => d.error_over(&raw.by.tokens, text),
    };
}

fn charge(
    entry: &RawEntry,
    combine: Option<Combine>,
    rails: &[Rail],
    amounts: &mut Vec<Amount>,
    d: &mut Diagnostics,
) -> Option<Charge> {
    if let Some(factor) = factor(&entry.charge, d) {
        if combine == Some(Combine::Sum) {
            d.error(
                entry.charge.span(),
                "a sum adds amounts, and this is a factor",
            )
            .help("write an amount, or begin with `multiply`");
        }
        return factor.map(Charge::Factor);
    }
    let amount = amount(&entry.charge, true, rails, d)?;
    let price = amount.price.clone();
    amounts.push(amount);
    Some(Charge::Amount(price))
}

/// Rule: a dimension holds amounts or factors, not both.
fn one_kind_of_charge(raw: &RawDimension, charges: &[Charge], d: &mut Diagnostics) {
    let kind = core::mem::discriminant::<Charge>;
    let Some(first) = charges.first().map(kind) else {
        return;
    };
    let other = raw
        .entries
        .iter()
        .zip(charges)
        .find(|(_, charge)| kind(charge) != first);
    if let Some((entry, _)) = other {
        d.error(
            entry.charge.span(),
            "one dimension holds amounts or factors, not both",
        )
        .help("a factor such as `\"x3\"` multiplies the amount of another dimension: `tiers(multiply, by = …, by = …)`");
    }
}

/// Rule: cases are of one kind, and none stands twice.
fn cases(
    first: &CaseValue,
    raw: &RawDimension,
    charges: &[Charge],
    d: &mut Diagnostics,
) -> DimensionTable {
    let kind = core::mem::discriminant::<CaseValue>;
    let mut cases: Vec<Case> = Vec::new();
    for (entry, charge) in raw.entries.iter().zip(charges) {
        let RawKey::Case(value) = &entry.key else {
            d.error_over(&entry.tokens, "this is a band, and the entries before it are values")
                .help("a dimension compares with values or with bands; requests with other values are refused");
            continue;
        };
        if kind(value) != kind(first) {
            d.error_over(&entry.tokens, "the values of one dimension are of one kind")
                .help("the first is another: strings, whole numbers or truth values");
        }
        if cases.iter().any(|case| case.equals == *value) {
            d.error_over(
                &entry.tokens,
                "this value stands twice: nothing reaches this tier",
            )
            .help("keep one of them");
        }
        cases.push(Case {
            equals: value.clone(),
            charge: charge.clone(),
        });
    }
    DimensionTable::Cases(cases.into())
}

/// Rule: bands rise, and nothing comes after the open one.
fn bands(raw: &RawDimension, charges: &[Charge], d: &mut Diagnostics) -> DimensionTable {
    let mut bands: Vec<Band> = Vec::new();
    for (entry, charge) in raw.entries.iter().zip(charges) {
        let RawKey::Band(up_to) = &entry.key else {
            d.error_over(
                &entry.tokens,
                "this is a value, and the entries before it are bands",
            )
            .help("a dimension compares with values or with bands");
            continue;
        };
        match bands.last().map(|band| band.up_to) {
            Some(None) => {
                d.error_over(
                    &entry.tokens,
                    "nothing reaches this band: the one before it has no end",
                )
                .help("put `..` last");
            }
            Some(Some(end)) if up_to.is_some_and(|up_to| up_to <= end) => {
                d.error_over(
                    &entry.tokens,
                    format!("these bands overlap: the one before ends at {end}"),
                )
                .help("write bands in rising order; each begins where the one before it ends");
            }
            _ => {}
        }
        bands.push(Band {
            up_to: *up_to,
            charge: charge.clone(),
        });
    }
    DimensionTable::Bands(bands.into())
}
