//! The rules of a manifest that types cannot hold: every name leads somewhere, no id stands twice, prices keep their bounds.

use std::collections::BTreeSet;

use super::document::Manifest;
use super::endpoint::EndpointEntry;
use super::error::ManifestError;
use super::price::PriceEntry;
use super::strict::short;
use crate::endpoint::{Method, is_origin, rules};
use crate::price::PriceModel;

/// Most endpoints of a manifest.
const MAX_ENDPOINTS: usize = 10_000;

pub(super) fn manifest(manifest: &Manifest) -> Result<(), ManifestError> {
    let broken = |place: &str, reason: &str| Err(rule(place, reason));
    if !is_origin(&manifest.service.origin) {
        return broken(
            "/service/origin",
            "an origin is http:// or https://, a host and perhaps a port",
        );
    }
    let capitals = manifest.currency.bytes().all(|b| b.is_ascii_uppercase());
    if manifest.currency.len() != 3 || !capitals {
        return broken("/currency", "a currency is three capitals");
    }
    if manifest.endpoints.is_empty() || manifest.endpoints.len() > MAX_ENDPOINTS {
        return broken("/endpoints", "there are 1 to 10000 endpoints");
    }
    for rail in manifest.rails.values() {
        dangling(
            manifest.assets.contains_key(&rail.asset),
            "asset",
            &rail.asset,
        )?;
    }
    rails(manifest, &manifest.defaults.rails)?;
    errors(manifest, &manifest.defaults.errors)?;
    unique(manifest.plans.iter().map(|plan| plan.id.as_str()))?;
    unique(
        manifest
            .endpoints
            .iter()
            .map(|endpoint| endpoint.id.as_str()),
    )?;
    for (place, endpoint) in manifest.endpoints.iter().enumerate() {
        self::endpoint(manifest, endpoint, &format!("/endpoints/{place}"))?;
    }
    Ok(())
}

fn rule(place: &str, reason: &str) -> ManifestError {
    ManifestError::Rule {
        place: place.to_owned(),
        reason: reason.chars().take(300).collect(),
    }
}

fn dangling(there: bool, what: &'static str, name: &str) -> Result<(), ManifestError> {
    if there {
        return Ok(());
    }
    let name = short(name);
    Err(ManifestError::Dangling { what, name })
}

fn unique<'m>(ids: impl Iterator<Item = &'m str>) -> Result<(), ManifestError> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(ManifestError::IdTwice { id: short(id) });
        }
    }
    Ok(())
}

fn rails(manifest: &Manifest, keys: &[String]) -> Result<(), ManifestError> {
    keys.iter()
        .try_for_each(|key| dangling(manifest.rails.contains_key(key), "rail", key))
}

fn errors(manifest: &Manifest, codes: &[String]) -> Result<(), ManifestError> {
    codes
        .iter()
        .try_for_each(|code| dangling(manifest.errors.contains_key(code), "error", code))
}

fn endpoint(
    manifest: &Manifest,
    endpoint: &EndpointEntry,
    place: &str,
) -> Result<(), ManifestError> {
    rules::check_id(&endpoint.id)
        .map_err(|error| rule(&format!("{place}/id"), &error.to_string()))?;
    if endpoint.kind == "http" {
        let known = endpoint
            .method
            .as_deref()
            .is_some_and(|method| Method::from_name(method).is_some() || method == "HEAD");
        if !known {
            return Err(rule(
                &format!("{place}/method"),
                "an endpoint has a method: GET, HEAD, DELETE, POST, PUT or PATCH",
            ));
        }
        let path = endpoint.path.as_deref().unwrap_or_default();
        rules::check_path(path)
            .map_err(|error| rule(&format!("{place}/path"), &error.to_string()))?;
    }
    rails(manifest, endpoint.rails.as_deref().unwrap_or_default())?;
    errors(manifest, endpoint.errors.as_deref().unwrap_or_default())?;
    for id in &endpoint.plans {
        let there = manifest.plans.iter().any(|plan| plan.id == *id);
        dangling(there, "plan", id)?;
    }
    price(
        manifest,
        endpoint,
        &endpoint.price,
        &format!("{place}/price"),
    )?;
    for (at, change) in endpoint.scheduled.iter().enumerate() {
        if let Some(later) = &change.price {
            price(
                manifest,
                endpoint,
                later,
                &format!("{place}/scheduled/{at}/price"),
            )?;
        }
    }
    Ok(())
}

/// A price of a known model is one that can be evaluated, and never leaves its bounds.
fn price(
    manifest: &Manifest,
    endpoint: &EndpointEntry,
    price: &PriceEntry,
    place: &str,
) -> Result<(), ManifestError> {
    if price.bounds.min > price.bounds.max {
        return Err(rule(place, "the least of the bounds is above the most"));
    }
    let model = manifest
        .model_of(endpoint, price)
        .map_err(|reason| rule(place, &reason))?;
    let Some(model) = model else {
        return Ok(());
    };
    let own = model.bounds();
    let inside = own.min.amount >= price.bounds.min.0 && own.max.amount <= price.bounds.max.0;
    if !inside && !matches!(model, PriceModel::Usage { .. }) {
        return Err(rule(place, "the price leaves its bounds"));
    }
    model
        .check()
        .map_err(|error| rule(place, &error.to_string()))
}
