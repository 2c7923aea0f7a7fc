//! Prices in atomic units of each token that can pay them.

use x402_model::asset::Asset;
use x402_model::endpoint::EndpointSpec;
use x402_model::money::AtomicAmount;
use x402_model::price::{Price, PriceModel, PriceUnit};

use crate::paywall::{Mistake, rail_id};

/// The tokens of `assets` that pay the endpoint's price, with the exact amount of each.
pub(super) fn on(
    spec: &EndpointSpec,
    assets: &[Asset],
    accepted: &[Asset],
    mistakes: &mut Vec<Mistake>,
) -> Vec<(Asset, AtomicAmount)> {
    if !is_bound(&spec.price) {
        mistakes.push(Mistake::PriceModel {
            endpoint: spec.id.to_owned(),
            model: spec.price.name(),
        });
        return Vec::new();
    }
    let price = &shown(spec);
    let payable: Vec<&Asset> = assets
        .iter()
        .filter(|asset| pays(asset, &price.unit))
        .collect();
    // With no usable rail at all there is nothing to say here: that mistake is noted already.
    if payable.is_empty() && !accepted.is_empty() && !assets.is_empty() {
        mistakes.push(no_rail(spec, price));
    }
    let mut prices = Vec::new();
    for asset in payable {
        if let Err(error) = spec.price.exact_on(asset.decimals) {
            mistakes.push(inexact(spec, price, asset, &error.to_string()));
            continue;
        }
        match asset.to_atomic(price.amount) {
            Ok(amount) if amount.is_zero() => {
                mistakes.push(inexact(spec, price, asset, "it would be free"))
            }
            Ok(amount) => prices.push((asset.clone(), amount)),
            Err(error) => mistakes.push(inexact(spec, price, asset, &error.to_string())),
        }
    }
    prices
}

/// What is told to a request that decides nothing about the price: the price of the example, or the most.
pub(super) fn shown(spec: &EndpointSpec) -> Price {
    let example = spec.price.probe_price(spec.probe).ok();
    let pays = example.filter(|price| !price.amount.is_zero());
    pays.unwrap_or_else(|| spec.price.bounds().max)
}

/// Whether the gate knows how to ask for such a price.
const fn is_bound(model: &PriceModel) -> bool {
    matches!(
        model,
        PriceModel::Flat { .. }
            | PriceModel::Tiered { .. }
            | PriceModel::Usage { .. }
            | PriceModel::Dynamic { .. }
    )
}

fn pays(asset: &Asset, unit: &PriceUnit) -> bool {
    match unit {
        PriceUnit::Usd => asset.usd_pegged,
        PriceUnit::Symbol(symbol) => asset.symbol.eq_ignore_ascii_case(symbol),
    }
}

fn no_rail(spec: &EndpointSpec, price: &Price) -> Mistake {
    let help = match &price.unit {
        PriceUnit::Usd => {
            "a price in USD needs an accepted token that is pegged to the dollar".to_owned()
        }
        PriceUnit::Symbol(symbol) => {
            format!(
                "accept a rail whose token is {symbol}, or write the price in a token that is accepted"
            )
        }
    };
    Mistake::NoRailForPrice {
        endpoint: spec.id.to_owned(),
        price: price.to_string(),
        help,
    }
}

fn inexact(spec: &EndpointSpec, price: &Price, asset: &Asset, reason: &str) -> Mistake {
    Mistake::PriceInexact {
        endpoint: spec.id.to_owned(),
        price: price.to_string(),
        rail: rail_id(asset),
        reason: reason.to_owned(),
    }
}
