//! Rules about `dynamic(…)`: a function that tells the price, and the most that it may tell.

use syn::FnArg;
use x402_model::price::{PriceModel, Quote};

use super::tiers::Checked;
use super::{Rail, amount, same_unit, seconds};
use crate::diag::Diagnostics;
use crate::model::Quoted;
use crate::syntax::item::PaidItem;
use crate::syntax::price::RawDynamic;
use crate::validate::args;

/// How long a quote holds, unless the attribute says so.
const DEFAULT_TTL_SECONDS: u64 = 60;

/// Every rule of a price that the seller computes.
pub(super) fn check(dynamic: &RawDynamic, rails: &[Rail], d: &mut Diagnostics) -> Option<Checked> {
    let before = d.count();
    let max = amount(&dynamic.max, false, rails, d);
    let min = dynamic.min.as_ref().map(|min| amount(min, true, rails, d));
    let ttl_seconds = match &dynamic.ttl {
        None => Some(DEFAULT_TTL_SECONDS),
        Some(literal) => seconds(literal, d),
    };
    if d.count() > before {
        return None;
    }
    let (max, min) = (max?, min.flatten());
    let amounts: Vec<_> = core::iter::once(max.clone()).chain(min.clone()).collect();
    same_unit(&amounts, d);
    if let Some(min) = min
        .as_ref()
        .filter(|min| min.price.amount > max.price.amount)
    {
        d.error(
            min.literal.span(),
            format!("the least price is more than the most, {}", max.price),
        )
        .help("exchange them, or leave `min` out");
    }
    if d.count() > before {
        return None;
    }
    let model = PriceModel::Dynamic {
        min: min.map(|min| min.price),
        max: max.price,
        quote: Quote::Required402 {
            ttl_seconds: ttl_seconds?,
        },
        factors: dynamic
            .factors
            .iter()
            .map(|factor| factor.value().into())
            .collect(),
    };
    Some((dynamic.max.span(), model, amounts))
}

/// The quote function and the state that it takes: the one given, or that of the handler's own `State` argument.
pub(super) fn quoted(dynamic: &RawDynamic, item: &PaidItem) -> Quoted {
    let of_handler = || {
        item.sig.inputs.iter().find_map(|arg| match arg {
            FnArg::Typed(typed) => args::outer_and_inner(&typed.ty)
                .filter(|(name, _)| name == "State")
                .and_then(|(_, inner)| inner),
            FnArg::Receiver(_) => None,
        })
    };
    Quoted {
        function: dynamic.quote.clone(),
        state: dynamic.state.clone().or_else(of_handler),
    }
}
