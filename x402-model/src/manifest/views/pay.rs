//! Prices and rails as the views write them.

use serde_json::{Map, Value, json};

use super::put;
use super::text::line;
use crate::manifest::{Amount, AssetEntry, EndpointEntry, Manifest, RailEntry};

/// Whether a call never costs anything.
pub(super) fn is_free(endpoint: &EndpointEntry) -> bool {
    endpoint.price.bounds.max == Amount::ZERO
}

/// An amount as it is always written.
pub(super) fn text(amount: Amount) -> String {
    amount.0.normalized().to_string()
}

/// What a call costs, for people: `0.001 USD per call`, `0.001 to 0.02 USD per call` or `free`.
pub(super) fn sentence(manifest: &Manifest, endpoint: &EndpointEntry) -> String {
    let bounds = endpoint.price.bounds;
    let currency = &manifest.currency;
    match (text(bounds.min), text(bounds.max)) {
        _ if is_free(endpoint) => "free".to_owned(),
        (min, max) if min == max => format!("{max} {currency} per call"),
        (min, max) => format!("{min} to {max} {currency} per call"),
    }
}

/// The least and the most of the bounds with the currency, for other programs.
pub(super) fn range(manifest: &Manifest, endpoint: &EndpointEntry) -> Value {
    let bounds = endpoint.price.bounds;
    json!({
        "currency": manifest.currency,
        "min": text(bounds.min),
        "max": text(bounds.max),
        "model": line(&endpoint.price.model),
    })
}

/// An amount in atomic units of an asset. Nothing where the asset is not worth exactly one unit of the currency, as far as the
/// manifest says, or where the amount is no whole number of atomic units.
fn atomic(manifest: &Manifest, asset: &AssetEntry, amount: Amount) -> Option<String> {
    let pegged = || asset.usd_peg.map(text).as_deref() == Some("1");
    let same = asset.symbol == manifest.currency || (manifest.currency == "USD" && pegged());
    let units = same.then(|| amount.0.to_atomic(asset.decimals).ok())?;
    units.map(|units| units.get().to_string())
}

/// One rail as payment terms without an amount.
pub(super) fn rail(manifest: &Manifest, rail: &RailEntry) -> Option<Map<String, Value>> {
    let asset = manifest.assets.get(&rail.asset)?;
    let mut terms = place(rail, asset);
    let mut extra = Map::new();
    if let Some(domain) = &asset.eip712 {
        put(&mut extra, "name", Some(&domain.name));
        put(&mut extra, "version", Some(&domain.version));
    }
    if asset.transfer == "permit2" {
        put(&mut extra, "assetTransferMethod", Some("permit2"));
    }
    put(&mut terms, "extra", (!extra.is_empty()).then_some(extra));
    Some(terms)
}

fn place(rail: &RailEntry, asset: &AssetEntry) -> Map<String, Value> {
    let mut terms = Map::new();
    put(&mut terms, "scheme", Some(&*rail.scheme));
    put(&mut terms, "network", Some(&*asset.network));
    put(&mut terms, "asset", Some(&*asset.address));
    put(&mut terms, "payTo", Some(&*rail.pay_to));
    put(
        &mut terms,
        "maxTimeoutSeconds",
        Some(rail.max_timeout_seconds),
    );
    terms
}

/// The rails of an endpoint with the most that it costs.
pub(super) fn accepts(manifest: &Manifest, endpoint: &EndpointEntry) -> Vec<Value> {
    let most = endpoint.price.bounds.max;
    let rails = manifest.rails_of(endpoint).filter_map(|(_, entry)| {
        let mut terms = rail(manifest, entry)?;
        let asset = manifest.assets.get(&entry.asset)?;
        put(&mut terms, "amount", atomic(manifest, asset, most));
        Some(Value::Object(terms))
    });
    rails.collect()
}

/// `x-payment-info`: the price in the currency, and the rails with atomic amounts. Both profiles of the extension read it,
/// because no amount in atomic units stands beside one in the currency.
pub(super) fn payment_info(manifest: &Manifest, endpoint: &EndpointEntry) -> Value {
    let bounds = endpoint.price.bounds;
    let currency = &manifest.currency;
    let (price, name) = if bounds.min == bounds.max {
        let price = json!({ "mode": "fixed", "currency": currency, "amount": text(bounds.max) });
        (price, "amount")
    } else {
        let price = json!({
            "mode": "dynamic", "currency": currency, "min": text(bounds.min), "max": text(bounds.max),
        });
        (price, "maxAmount")
    };
    let protocols: Vec<Value> = manifest
        .rails_of(endpoint)
        .filter_map(|(_, rail)| {
            let asset = manifest.assets.get(&rail.asset)?;
            let mut terms = place(rail, asset);
            put(&mut terms, name, atomic(manifest, asset, bounds.max));
            Some(json!({ "x402": terms }))
        })
        .collect();
    json!({ "price": price, "protocols": protocols })
}
