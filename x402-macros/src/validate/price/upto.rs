//! Rules about `upto(…)`: a ceiling, and what is metered below it.

use syn::ext::IdentExt as _;
use x402_model::money::Decimal;
use x402_model::price::{PriceModel, Rounding, Selector, Source, UsageUnit};

use super::fields::{Handler, When};
use super::tiers::Checked;
use super::{Amount, Rail, amount, same_unit};
use crate::diag::Diagnostics;
use crate::model::Compared;
use crate::syntax::price::{RawUnit, RawUpto};

/// Every rule of a metered price.
pub(super) fn check(
    upto: &RawUpto,
    handler: &mut Handler<'_>,
    rails: &[Rail],
    d: &mut Diagnostics,
) -> Option<Checked> {
    let before = d.count();
    let max = amount(upto.max.as_ref()?, false, rails, d);
    let base = upto.base.as_ref().map(|base| amount(base, true, rails, d));
    let units: Vec<Option<(UsageUnit, Amount)>> = upto
        .units
        .iter()
        .enumerate()
        .map(|(place, raw)| {
            if upto
                .units
                .iter()
                .take(place)
                .any(|other| other.id == raw.id)
            {
                d.error(raw.id.span(), format!("`{}` is metered twice", raw.id))
                    .help("give each unit a name of its own");
            }
            unit(raw, handler, rails, d)
        })
        .collect();
    let headroom = headroom(upto, d);
    if d.count() > before {
        return None;
    }
    let (max, base) = (max?, base.flatten());
    let units: Vec<(UsageUnit, Amount)> = units.into_iter().flatten().collect();
    let mut all = vec![max.clone()];
    all.extend(base.clone());
    all.extend(units.iter().map(|(_, amount)| amount.clone()));
    same_unit(&all, d);
    if let Some(base) = base
        .as_ref()
        .filter(|base| base.price.amount > max.price.amount)
    {
        d.error(
            base.literal.span(),
            format!("the base is more than the ceiling, {}", max.price),
        )
        .help("the ceiling is the most that a call can cost, base included");
    }
    if d.count() > before {
        return None;
    }
    // The price of a unit is metered and rounded once with the whole sum: it need not be exact by itself.
    let exact: Vec<Amount> = base.iter().cloned().chain([max.clone()]).collect();
    let model = PriceModel::Usage {
        base: base.map(|base| base.price),
        units: units.into_iter().map(|(unit, _)| unit).collect(),
        rounding: if upto.down {
            Rounding::DownToAtomic
        } else {
            Rounding::UpToAtomic
        },
        headroom,
        ceiling: max.price,
    };
    Some((upto.at, model, exact))
}

fn headroom(upto: &RawUpto, d: &mut Diagnostics) -> Decimal {
    let Some(literal) = &upto.headroom else {
        return Decimal::ONE;
    };
    match literal.value().parse::<Decimal>() {
        Ok(headroom) if headroom >= Decimal::ONE => headroom,
        read => {
            let text = literal.value();
            let error = d.error(literal.span(), format!("`{text}` is no headroom"));
            if let Err(reason) = read {
                error.help(reason.to_string());
            }
            error
                .help("write a decimal of at least 1: `\"1.2\"` leaves a fifth above the estimate");
            Decimal::ONE
        }
    }
}

fn unit(
    raw: &RawUnit,
    handler: &mut Handler<'_>,
    rails: &[Rail],
    d: &mut Diagnostics,
) -> Option<(UsageUnit, Amount)> {
    let id = raw.id.unraw().to_string();
    let price = amount(&raw.amount, true, rails, d);
    let meter = match &raw.meter {
        None => Some(Selector {
            pointer: format!("/usage/{id}").into(),
            ..Selector::at(Source::ResponseBody, "")
        }),
        Some(meter) => handler.selector(meter, When::AfterCall, Compared::Number, d),
    };
    let estimate = match &raw.estimate {
        None => None,
        Some(estimate) => {
            Some(handler.selector(estimate, When::BeforeCall, Compared::Number, d)?)
        }
    };
    let price = price?;
    let unit = UsageUnit {
        id: id.into(),
        per: raw.per,
        amount: price.price.clone(),
        meter: meter?,
        estimate,
    };
    Some((unit, price))
}
