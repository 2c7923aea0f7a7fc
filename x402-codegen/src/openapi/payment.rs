//! `x-payment-info`: what an operation costs, by the profiles that indexers read.

use serde::Deserialize as _;
use serde_json::{Map, Value};
use x402_model::asset::{Asset, AssetTable, checksum, parse_address};
use x402_model::manifest::{PriceEntry, SelectorEntry};
use x402_model::money::Decimal;
use x402_model::network::Network;
use x402_model::price::{CaseValue, Price, PriceModel, PriceUnit, Quote};

use super::ANY_PAYEE;
use crate::model::{Pin, Pricing};

/// The currency of the client: dollars if any price is in dollars, which is what a price without a currency is in.
pub(super) fn currency(paths: &Map<String, Value>) -> String {
    let items = paths.values().filter_map(Value::as_object);
    let infos = items
        .flat_map(Map::values)
        .filter_map(|operation| operation.get("x-payment-info"));
    let mut currencies = infos.map(|info| {
        let currency = info.pointer("/price/currency").and_then(Value::as_str);
        currency.unwrap_or("USD")
    });
    let first = currencies.next().unwrap_or("USD");
    let capitals = first.len() == 3 && first.bytes().all(|b| b.is_ascii_uppercase());
    if !capitals || currencies.any(|other| other == "USD") {
        return "USD".to_owned();
    }
    first.to_owned()
}

/// The least and the most, if the operation promises a most.
fn bounds(info: &Value, currency: &str) -> Result<(Decimal, Decimal), &'static str> {
    let amount = |value: Option<&Value>| value?.as_str()?.parse::<Decimal>().ok();
    if let Some(price) = info.get("price").filter(|price| price.is_object()) {
        let other = price.get("currency").and_then(Value::as_str);
        if other.is_some_and(|other| other != currency) {
            return Err("is in another currency than the others");
        }
        if price.get("mode").is_some_and(|mode| mode == "fixed") {
            let fixed = amount(price.get("amount")).ok_or("has no amount that is a decimal")?;
            return Ok((fixed, fixed));
        }
        let max = amount(price.get("max")).ok_or("has no maximum")?;
        let min = amount(price.get("min")).unwrap_or(Decimal::ZERO);
        return Ok((min, max));
    }
    // The older flat form.
    let fixed = amount(info.get("price"));
    let max = amount(info.get("maxPrice"))
        .or(fixed)
        .ok_or("is in a form that is not read")?;
    let min = amount(info.get("minPrice"))
        .or(fixed)
        .unwrap_or(Decimal::ZERO);
    Ok((min, max))
}

/// What an operation costs.
pub(super) fn pricing(
    operation: &Value,
    currency: &str,
    default_of: &dyn Fn(&SelectorEntry) -> Option<CaseValue>,
) -> Result<Option<Pricing>, &'static str> {
    let Some(info) = operation.get("x-payment-info") else {
        return Ok(None);
    };
    let (min, max) = bounds(info, currency)?;
    if min > max {
        return Err("has a minimum above its maximum");
    }
    let unit = if currency == "USD" {
        PriceUnit::Usd
    } else {
        PriceUnit::Symbol(currency.to_owned().into())
    };
    let model = rule(operation, &unit, default_of, max).unwrap_or_else(|| plain(min, max, &unit));
    let sentence = if min == max {
        format!("Costs {max} {currency} a call.")
    } else {
        format!("Costs {min} to {max} {currency} a call.")
    };
    Ok(Some(Pricing {
        min: min.normalized(),
        max: max.normalized(),
        model: Some(model),
        sentence,
    }))
}

/// The rule of a manifest, if the description carries one that keeps the same promise.
fn rule(
    operation: &Value,
    unit: &PriceUnit,
    default_of: &dyn Fn(&SelectorEntry) -> Option<CaseValue>,
    max: Decimal,
) -> Option<PriceModel> {
    let entry = PriceEntry::deserialize(operation.get("x-x402-price")?).ok()?;
    let model = entry.to_model(unit, default_of).ok()??;
    let kept = model.bounds().max.amount <= max && model.check().is_ok();
    kept.then_some(model)
}

fn plain(min: Decimal, max: Decimal, unit: &PriceUnit) -> PriceModel {
    let price = |amount| Price {
        amount,
        unit: unit.clone(),
    };
    if max.is_zero() {
        return PriceModel::Free;
    }
    if min == max {
        return PriceModel::Flat { amount: price(max) };
    }
    PriceModel::Dynamic {
        min: (!min.is_zero()).then(|| price(min)),
        max: price(max),
        quote: Quote::Required402 { ttl_seconds: 60 },
        factors: Vec::new().into(),
    }
}

/// A way to pay with a known token.
fn pin(scheme: &str, asset: &Asset, pay_to: &str) -> Pin {
    Pin {
        rail: String::new(),
        scheme: scheme.to_owned(),
        network: asset.network.to_string(),
        asset: checksum(asset.address),
        symbol: asset.symbol.to_string(),
        decimals: asset.decimals,
        peg: asset.usd_pegged.then_some(Decimal::ONE),
        pay_to: pay_to.to_owned(),
    }
}

/// The ways to pay that an operation leaves open: what it names of a payment, it pins. Decimals never come from the description.
///
/// Gives how many of the ways it names are not among them, because their token is not known, or stands for another currency.
pub(super) fn pins(operation: &Value, currency: &str) -> (Vec<Pin>, usize) {
    let protocols = operation.pointer("/x-payment-info/protocols");
    let all = protocols.and_then(Value::as_array).into_iter().flatten();
    let named: Vec<&Value> = all.filter_map(|protocol| protocol.get("x402")).collect();
    if named.is_empty() {
        return (way(&Value::Null, currency).unwrap_or_default(), 0);
    }
    let mut pins = Vec::new();
    let mut unknown: usize = 0;
    for terms in named {
        match way(terms, currency) {
            Some(found) => pins.extend(found),
            None => unknown = unknown.saturating_add(1),
        }
    }
    (pins, unknown)
}

/// Every payment that fits what is said of one; `None` if there is none that is known.
fn way(terms: &Value, currency: &str) -> Option<Vec<Pin>> {
    // A part that is not said fits all, and one that cannot be read fits none.
    let said = |name: &str| match terms.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(part) => part.as_str().map(Some),
    };
    let scheme = said("scheme")?.unwrap_or("exact");
    let network = match said("network")? {
        Some(name) => Some(Network::parse_any(name).ok()?),
        None => None,
    };
    let token = match said("asset")? {
        Some(address) => Some(parse_address(address).ok()?),
        None => None,
    };
    let pay_to = match said("payTo")? {
        Some(address) => checksum(parse_address(address).ok()?),
        None => ANY_PAYEE.to_owned(),
    };
    let fits = |asset: &&Asset| {
        asset.usd_pegged == (currency == "USD")
            && network.as_ref().is_none_or(|name| asset.network == *name)
            // A token that is no dollar stands for its currency only if somebody says so.
            && token.map_or(asset.usd_pegged, |address| asset.address == address)
    };
    let table = AssetTable::builtin();
    let found = table.iter().filter(fits);
    let pins: Vec<Pin> = found.map(|asset| pin(scheme, asset, &pay_to)).collect();
    (!pins.is_empty()).then_some(pins)
}

/// The longest that a payment is valid.
pub(super) fn timeout(operation: &Value) -> Option<u64> {
    let protocols = operation.pointer("/x-payment-info/protocols")?.as_array()?;
    let seconds = protocols.iter().filter_map(|protocol| {
        let terms = protocol.get("x402")?;
        terms.get("maxTimeoutSeconds")?.as_u64()
    });
    seconds.min().map(|seconds| seconds.clamp(1, 3600))
}
