//! Rules about the price: exact, in a unit that exists, payable on the rails named beside it, whatever model it has.

mod dynamic;
mod exact;
mod fields;
mod flat;
mod offers;
mod scheduled;
mod tiers;
mod upto;
mod volume;

use proc_macro2::Span;
use syn::LitStr;
use x402_model::money::Decimal;
use x402_model::network::Network;
use x402_model::price::{Price, PriceModel, PriceModelError, PriceUnit};

use super::texts::place_in;
use crate::diag::Diagnostics;
use crate::model::{Offers, Priced, Quoted, Route, ValidScheduled};
use crate::syntax::Key;
use crate::syntax::attr::RawAttr;
use crate::syntax::item::PaidItem;
use crate::syntax::price::RawPrice;
use fields::Handler;

/// A rail as validated: what the author wrote, its network and its symbol.
#[derive(Debug)]
pub(super) struct Rail {
    pub(super) written: LitStr,
    pub(super) network: Network,
    pub(super) symbol: String,
}

/// An amount and the literal it was read from.
#[derive(Clone, Debug)]
struct Amount {
    literal: LitStr,
    price: Price,
}

/// Rule: there is a price that keeps the grammar of prices and the rules of its model.
pub(super) fn check_price(
    attr: &RawAttr,
    item: &PaidItem,
    route: Option<&Route>,
    rails: &[Rail],
    d: &mut Diagnostics,
) -> Option<Priced> {
    if !attr.price.is_given() {
        d.error(Span::call_site(), "`price` is missing")
            .help(format!("add `{}`", Key::Price.example()));
        return None;
    }
    let mut handler = Handler::new(item, route);
    let raw = attr.price.get()?;
    let model = model(raw, attr, &mut handler, rails, d);
    let scheduled = scheduled::check(attr, model.as_ref(), &mut handler, rails, d);
    let quote = match raw {
        RawPrice::Dynamic(dynamic) => Some(dynamic::quoted(dynamic, item)),
        _ => None,
    };
    finished((model?, scheduled?), attr, handler, quote, d)
}

/// One price, now or later, with the rebate that the attribute has for all of them.
fn model(
    raw: &RawPrice,
    attr: &RawAttr,
    handler: &mut Handler<'_>,
    rails: &[Rail],
    d: &mut Diagnostics,
) -> Option<PriceModel> {
    let before = d.count();
    let (at, model, amounts) = match raw {
        RawPrice::Flat(literal) => {
            let price = flat::check(literal, rails, d)?;
            match attr.rebate.get() {
                None => return Some(PriceModel::Flat { amount: price }),
                Some(rebate) => volume::of_flat(literal, price, rebate, d)?,
            }
        }
        RawPrice::Tiers(tiers) => tiers::check(tiers, attr.rebate.get(), handler, rails, d)?,
        RawPrice::Upto(upto) => upto::check(upto, handler, rails, d)?,
        RawPrice::Dynamic(dynamic) => dynamic::check(dynamic, rails, d)?,
    };
    if attr.rebate.is_given() && !matches!(model, PriceModel::Tiered { .. }) {
        d.error(
            attr.rebate.span(),
            format!("a {} price has no rebate", model.name()),
        )
        .help("rebates are factors on listed prices: on a string or on `tiers(…)`");
    }
    if d.count() > before {
        return None;
    }
    if let Err(error) = model.check() {
        report(at, &error, d);
        return None;
    }
    exact::check(&model, at, &amounts, rails, d);
    (d.count() == before).then_some(model)
}

/// The price with what depends on it: the example request and the offers beside it.
fn finished(
    (model, scheduled): (PriceModel, Vec<ValidScheduled>),
    attr: &RawAttr,
    handler: Handler<'_>,
    quote: Option<Quoted>,
    d: &mut Diagnostics,
) -> Option<Priced> {
    let before = d.count();
    let probe = attr.probe.get().map(|literal| {
        let text = literal.value();
        let later = scheduled.iter().map(|later| &later.price);
        let mut all = std::iter::once(&model).chain(later);
        if let Some(error) = all.find_map(|model| model.probe_price(Some(&text)).err()) {
            d.error(literal.span(), format!("the example has no price: {error}"))
                .help("write a whole request, as in `probe = r#\"{\"body\": {\"quality\": \"fast\"}}\"#`");
        }
        text
    });
    let unit = model.bounds().max.unit;
    let offers = Offers {
        allowances: offers::free(attr, d),
        plans: offers::plans(attr, &unit, d),
    };
    (d.count() == before).then_some(Priced {
        model,
        scheduled,
        probe,
        offers,
        fields: handler.into_checks(),
        quote,
    })
}

/// A mistake of the model that has no token of its own.
fn report(at: Span, error: &PriceModelError, d: &mut Diagnostics) {
    let text = error.to_string();
    match text.split_once(": ") {
        Some((message, help)) => d.error(at, message).help(help),
        None => d.error(at, text),
    };
}

/// Rule: an amount keeps the price grammar, in a unit that exists. Parts of a price may be zero.
fn amount(literal: &LitStr, zero: bool, rails: &[Rail], d: &mut Diagnostics) -> Option<Amount> {
    let text = literal.value();
    let parsed = if zero {
        Price::parse_or_zero(&text)
    } else {
        text.parse()
    };
    match parsed {
        Ok(price) => {
            flat::check_symbol(literal, &price, rails, d);
            Some(Amount {
                literal: literal.clone(),
                price,
            })
        }
        Err(error) => {
            d.error(place_in(literal, &error.span), error.message)
                .maybe_help(error.help);
            None
        }
    }
}

/// Rule: all amounts of one price are in one unit, that of the first.
fn same_unit(amounts: &[Amount], d: &mut Diagnostics) -> Option<PriceUnit> {
    let first = amounts.first()?;
    for other in amounts
        .iter()
        .filter(|other| other.price.unit != first.price.unit)
    {
        let (unit, wrong) = (&first.price.unit, &other.price.unit);
        d.error(
            flat::unit_place(&other.literal, &other.price),
            format!("this price is in {unit}, and not in {wrong}"),
        )
        .help(format!("write `{} {unit}`", other.price.amount));
    }
    Some(first.price.unit.clone())
}

/// `"x0.5"`: a factor. `None` if the text is none; what is nearly one is reported.
fn factor(literal: &LitStr, d: &mut Diagnostics) -> Option<Option<Decimal>> {
    let text = literal.value();
    let digits = text.strip_prefix(['x', '×'])?;
    match digits.parse::<Decimal>() {
        Ok(factor) => Some(Some(factor)),
        Err(error) => {
            d.error(literal.span(), format!("`{text}` is not a factor"))
                .help(error.to_string())
                .help("write a decimal after the `x`, as in `\"x0.5\"`");
            Some(None)
        }
    }
}

/// A time: `"90s"`, `"15m"`, `"24h"`, `"30d"`.
fn seconds(literal: &LitStr, d: &mut Diagnostics) -> Option<u64> {
    let text = literal.value();
    let parts = text.char_indices().next_back();
    let read = parts.and_then(|(at, unit)| {
        let unit = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        let digits = text.get(..at).filter(|digits| {
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        })?;
        digits.parse::<u64>().ok()?.checked_mul(unit)
    });
    match read {
        Some(seconds @ 1..) => Some(seconds),
        _ => {
            d.error(literal.span(), format!("`{text}` is not a time"))
                .help("write a whole number and `s`, `m`, `h` or `d`, as in `\"30d\"`");
            None
        }
    }
}
