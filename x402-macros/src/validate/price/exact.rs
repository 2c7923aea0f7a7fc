//! Rule: every amount that a price can come to is a whole number of the units of the tokens that may pay it.

use proc_macro2::Span;
use x402_model::asset::{Asset, AssetTable};
use x402_model::price::{Inexact, PriceModel, PriceUnit};

use super::{Amount, Rail, flat};
use crate::diag::Diagnostics;

/// The known tokens that may pay a price in this unit. None, if a rail names one that is known at start-up only.
pub(super) fn payers<'t>(
    unit: &PriceUnit,
    rails: &[Rail],
    table: &'t AssetTable,
) -> Vec<&'t Asset> {
    let all_known = rails
        .iter()
        .all(|rail| table.by_symbol(&rail.network, &rail.symbol).is_some());
    let pays = |asset: &&Asset| {
        let unit = match unit {
            PriceUnit::Usd => asset.usd_pegged,
            PriceUnit::Symbol(symbol) => asset.symbol.eq_ignore_ascii_case(symbol),
        };
        let named = |rail: &Rail| {
            rail.network == asset.network && rail.symbol.eq_ignore_ascii_case(&asset.symbol)
        };
        unit && (rails.is_empty() || rails.iter().any(named))
    };
    if all_known {
        table.iter().filter(pays).collect()
    } else {
        Vec::new()
    }
}

/// Without named rails one token that can pay everything is enough: which are accepted is known at start-up. Rails that
/// are named have to, all of them.
pub(super) fn check(
    model: &PriceModel,
    at: Span,
    amounts: &[Amount],
    rails: &[Rail],
    d: &mut Diagnostics,
) {
    let max = model.bounds().max;
    flat::check_rails_fit(&max, rails, d);
    let table = AssetTable::builtin();
    let known = payers(&max.unit, rails, &table);
    let mut failed: Vec<(&Asset, Inexact)> = known
        .iter()
        .filter_map(|asset| Some((*asset, model.exact_on(asset.decimals).err()?)))
        .collect();
    if rails.is_empty() && failed.len() < known.len() {
        return;
    }
    // The one with the most decimals says best what can be done about it.
    failed.sort_by_key(|(asset, _)| asset.decimals);
    let Some((asset, error)) = failed.pop() else {
        return;
    };
    let Inexact::Amount { amount, .. } = error else {
        return;
    };
    let written = amounts.iter().find(|other| other.price == amount);
    let decimals = asset.decimals;
    let place = written.map_or(at, |written| written.literal.span());
    let how = if written.is_some() {
        format!("`{amount}` cannot be paid")
    } else {
        format!("this price can come to `{amount}`, which cannot be paid")
    };
    let smallest = format!("0.{}1", "0".repeat(usize::from(decimals).saturating_sub(1)));
    d.error(
        place,
        format!("{how}: {} has {decimals} decimals", asset.symbol),
    )
    .help(format!(
        "the smallest amount is `{smallest} {}`, and amounts are never rounded",
        max.unit
    ));
}
