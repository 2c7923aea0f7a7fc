//! Rules about prices that will hold: valid by themselves, in order, and such that the handler can go on.

use proc_macro2::Span;
use quote::ToTokens as _;
use syn::LitStr;
use x402_model::endpoint::{
    LifecycleError, MAX_REASON_CHARS, MAX_SCHEDULED, MIN_BETWEEN_PRICES, follows,
};
use x402_model::price::PriceModel;

use super::Rail;
use super::fields::Handler;
use crate::diag::Diagnostics;
use crate::model::ValidScheduled;
use crate::syntax::attr::RawAttr;
use crate::syntax::lifecycle::RawScheduled;
use crate::syntax::price::RawPrice;
use crate::validate::lifecycle::instant;

/// The prices that are scheduled. `None` if any of them is wrong.
pub(super) fn check(
    attr: &RawAttr,
    now: Option<&PriceModel>,
    handler: &mut Handler<'_>,
    rails: &[Rail],
    d: &mut Diagnostics,
) -> Option<Vec<ValidScheduled>> {
    let raw = attr.scheduled.get().map(Vec::as_slice).unwrap_or_default();
    let before = d.count();
    let mut valid: Vec<ValidScheduled> = Vec::new();
    for one in raw {
        let price = super::model(&one.price, attr, handler, rails, d);
        let from = instant(&one.from, d);
        let announced = one.announced.as_ref().map(|literal| instant(literal, d));
        let reason = one.reason.as_ref().map(|literal| reason(literal, d));
        let (Some(price), Some(from)) = (price, from) else {
            continue;
        };
        let last = valid.last();
        order(one, from, last.map(|last| last.from), d);
        announced_before(one, from, announced.flatten(), d);
        if let Some(before) = last.map(|last| &last.price).or(now) {
            kept(attr, one, before, &price, d);
        }
        valid.push(ValidScheduled {
            from,
            announced: announced.flatten(),
            price,
            reason,
        });
    }
    if let Some(one) = raw.get(MAX_SCHEDULED) {
        d.error(
            one.at,
            format!("more than {MAX_SCHEDULED} prices are scheduled"),
        )
        .help("announce the later ones when some of these hold");
    }
    (d.count() == before && (attr.scheduled.get().is_some() || !attr.scheduled.is_given()))
        .then_some(valid)
}

/// Rule: prices stand in the order of time, and each holds for a day at least.
fn order(one: &RawScheduled, from: u64, last: Option<u64>, d: &mut Diagnostics) {
    if last.is_some_and(|last| from < last.saturating_add(MIN_BETWEEN_PRICES)) {
        d.error(
            one.from.span(),
            "this price does not begin a day or more after the one before it",
        )
        .help("write the prices in the order of time")
        .help(
            "a price that changes more often is `dynamic(…)`: its function can look at the clock",
        );
    }
}

/// Rule: what is announced has not happened yet.
fn announced_before(one: &RawScheduled, from: u64, day: Option<u64>, d: &mut Diagnostics) {
    if let (Some(day), Some(literal)) = (day, &one.announced)
        && day >= from
    {
        let (announced, begins) = (literal.value(), one.from.value());
        d.error(
            literal.span(),
            format!("it is announced at {announced}, and begins at {begins}"),
        )
        .help("buyers need time between the two: 7 days at least");
    }
}

/// Rule: what buyers and the handler rely on stays: the unit, the kind of price, what is metered, the quote function.
fn kept(
    attr: &RawAttr,
    one: &RawScheduled,
    before: &PriceModel,
    price: &PriceModel,
    d: &mut Diagnostics,
) {
    let at = place(&one.price);
    match follows(before, price) {
        Ok(()) => {}
        Err(LifecycleError::SamePrice) => {
            d.error(at, "this is the price that holds already")
                .help("leave it out: nothing changes then");
        }
        Err(LifecycleError::Unit) => {
            let (unit, wrong) = (before.bounds().max.unit, price.bounds().max.unit);
            d.error(
                at,
                format!("the price is in {unit}, and this one in {wrong}"),
            )
            .help(
                "buyers of one endpoint pay in one unit: sell in another one by another endpoint",
            );
        }
        Err(_) => {
            d.error(at, "this price is of another kind than the one before it")
                .help("a string or `tiers(…)` may follow each other, `upto(…)` one that meters the same, and `dynamic(…)` one of the same function")
                .help("another kind of price is another endpoint: deprecate this one");
        }
    }
    if let (Some(RawPrice::Dynamic(now)), RawPrice::Dynamic(later)) = (attr.price.get(), &one.price)
    {
        let text = |quoted: &crate::syntax::price::RawDynamic| {
            let state = quoted.state.to_token_stream();
            format!("{} {state}", quoted.quote.to_token_stream())
        };
        if text(now) != text(later) {
            d.error_over(
                &later.quote,
                "a scheduled price is quoted by the function that quotes now",
            )
            .help("only its bounds are scheduled: the function can look at the clock");
        }
    }
}

/// Rule: a reason is a line.
fn reason(literal: &LitStr, d: &mut Diagnostics) -> String {
    let text = literal.value();
    let long = text.chars().count() > MAX_REASON_CHARS;
    if long || text.trim().is_empty() || text.chars().any(char::is_control) {
        d.error(
            literal.span(),
            format!("the reason for a price is a line of 1 to {MAX_REASON_CHARS} characters"),
        );
    }
    text
}

/// Where a price is written.
fn place(price: &RawPrice) -> Span {
    match price {
        RawPrice::Flat(literal) => literal.span(),
        RawPrice::Tiers(tiers) => tiers.at,
        RawPrice::Upto(upto) => upto.at,
        RawPrice::Dynamic(dynamic) => dynamic.max.span(),
    }
}
