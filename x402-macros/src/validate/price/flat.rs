//! Prices that are the same for every call, and what holds for the unit of any price.

use proc_macro2::Span;
use syn::LitStr;
use x402_model::asset::AssetTable;
use x402_model::price::{Price, PriceUnit, known_symbol_suggestion};

use super::{Rail, exact, place_in};
use crate::diag::Diagnostics;

/// Rule: the literal keeps the price grammar, and some token can pay it.
pub(super) fn check(literal: &LitStr, rails: &[Rail], d: &mut Diagnostics) -> Option<Price> {
    let price = match literal.value().parse::<Price>() {
        Ok(price) => price,
        Err(error) => {
            d.error(place_in(literal, &error.span), error.message)
                .maybe_help(error.help);
            return None;
        }
    };
    let before = d.count();
    check_symbol(literal, &price, rails, d);
    check_rails_fit(&price, rails, d);
    check_decimals(literal, &price, rails, d);
    (d.count() == before).then_some(price)
}

/// Rule: a symbol that is nearly a well-known one is a slip. Others may be the seller's own tokens, which are known at
/// start-up; a rail that names the symbol shows that it is meant.
pub(super) fn check_symbol(literal: &LitStr, price: &Price, rails: &[Rail], d: &mut Diagnostics) {
    let PriceUnit::Symbol(symbol) = &price.unit else {
        return;
    };
    let named = rails
        .iter()
        .any(|rail| rail.symbol.eq_ignore_ascii_case(symbol));
    if let Some(near) = known_symbol_suggestion(symbol).filter(|_| !named) {
        d.error(
            unit_place(literal, price),
            format!("unknown asset `{symbol}`"),
        )
        .help(format!("did you mean `{} {near}`?", price.amount))
        .help(format!(
            "if `{symbol}` is your own token, say where it is: `rails = [\"base:{symbol}\"]`"
        ));
    }
}

/// Rule: every rail can pay the price. A price in a token is paid with that token, a price in `USD` with dollar tokens.
pub(super) fn check_rails_fit(price: &Price, rails: &[Rail], d: &mut Diagnostics) {
    let table = AssetTable::builtin();
    for rail in rails {
        let at = rail.written.span();
        match &price.unit {
            PriceUnit::Symbol(symbol) if !rail.symbol.eq_ignore_ascii_case(symbol) => {
                d.error(at, format!("`{}` cannot pay a price in {symbol}", rail.written.value()))
                    .help(format!(
                        "name a rail of {symbol}, or write the price in `USD` to be paid with any dollar token"
                    ));
            }
            PriceUnit::Usd => {
                let asset = table.by_symbol(&rail.network, &rail.symbol);
                if asset.is_some_and(|asset| !asset.usd_pegged) {
                    d.error(
                        at,
                        format!("`{}` cannot pay a price in USD", rail.written.value()),
                    )
                    .help(format!(
                        "{} is no dollar token: write the price in it",
                        rail.symbol
                    ));
                }
            }
            PriceUnit::Symbol(_) => {}
        }
    }
}

/// Rule: some token that may pay it has enough decimals; amounts are never rounded.
fn check_decimals(literal: &LitStr, price: &Price, rails: &[Rail], d: &mut Diagnostics) {
    let table = AssetTable::builtin();
    let known = exact::payers(&price.unit, rails, &table);
    if known.is_empty()
        || known
            .iter()
            .any(|asset| asset.to_atomic(price.amount).is_ok())
    {
        return;
    }
    let most = known
        .iter()
        .map(|asset| asset.decimals)
        .max()
        .unwrap_or_default();
    let (unit, amount) = (price.unit.as_str(), price.amount);
    let payer = match &price.unit {
        PriceUnit::Usd => "a token that may pay it",
        PriceUnit::Symbol(symbol) => symbol,
    };
    let smallest = format!("0.{}1", "0".repeat(usize::from(most).saturating_sub(1)));
    d.error(
        literal.span(),
        format!(
            "`{price}` cannot be paid: {payer} has {most} decimals at most, and {amount} needs more"
        ),
    )
    .help(format!(
        "the smallest price is `{smallest} {unit}`, and amounts are never rounded"
    ));
}

/// Where the unit stands, if the literal's parts have places of their own.
pub(super) fn unit_place(literal: &LitStr, price: &Price) -> Span {
    let length = literal.value().len();
    let start = length.saturating_sub(price.unit.as_str().len());
    place_in(literal, &(start..length))
}
