//! The manifest of a paywall, from what its builder was given.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::Address;
use serde_json::Value;
use x402_model::asset::parse_address;
use x402_model::endpoint::operation_id;
use x402_model::manifest::views::{self, MAX_HEADER_BYTES};
use x402_model::wire::{PaymentRequired, headers};

use super::PaymentIds;
use super::builder::PaywallBuilder;
use super::mistake::{BuildError, Mistake};
use crate::bind::{BoundEndpoint, Mounted, bind};
use crate::manifest::{
    self, BAZAAR, Discovery, ManifestSigner, Published, Seal, Service, Unpublished, shapes,
};
use crate::project::Challenge;
use crate::telemetry::event;

/// The manifest of what a builder was given, without facilitator and ledger.
pub(super) fn manifest<S>(
    builder: &PaywallBuilder<S>,
    signer: Option<Arc<dyn ManifestSigner>>,
) -> Result<Published, BuildError> {
    let mut mistakes = builder.mistakes.clone();
    let mounted: Vec<Mounted> = builder
        .mounts
        .iter()
        .map(|one| one.mounted.clone())
        .collect();
    let mut given = builder.given.clone();
    given.min_remaining_seconds = builder.limits.min_remaining_seconds();
    // Plans are told by the endpoints that take their credit.
    let mut bound = bind(&mounted, &[], &given, &mut mistakes);
    // Who settles is no part of the manifest, and not known without asking.
    let anybody = bound.assets.iter();
    let anybody: Vec<_> = anybody
        .map(|asset| (asset.network.clone(), Address::repeat_byte(1)))
        .collect();
    for endpoint in &mut bound.endpoints {
        endpoint.settle_by(&anybody);
    }
    let facts = Facts {
        signer,
        ..facts(builder, &mut bound.endpoints)
    };
    let published = publish(facts, &bound.endpoints, &mut mistakes);
    match (published, BuildError::of(mistakes)) {
        (_, Some(error)) => Err(error),
        (Some(published), None) => Ok(published),
        (None, None) => Err(BuildError::one(Mistake::NothingMounted)),
    }
}

/// What the manifest is made of besides the endpoints, which learn their schemas.
pub(super) fn facts<S>(builder: &PaywallBuilder<S>, endpoints: &mut [BoundEndpoint]) -> Facts {
    let schemas = shapes::collect(builder.mounts.iter().map(|mount| mount.describe));
    // Plans come after the handlers, and describe nothing.
    if endpoints.len() >= schemas.shapes.len() {
        let described = endpoints.iter_mut().zip(schemas.shapes);
        described.for_each(|(endpoint, shapes)| endpoint.describe(shapes));
    }
    Facts {
        service: builder.service.clone(),
        signer: builder.signer.clone(),
        named: schemas.named,
        payment_ids: builder.given.payment_ids,
        body_cap: builder.limits.body_cap,
        retention: builder.limits.retention,
        started_ms: builder.clock.now_ms(),
        discovery: builder.discovery,
    }
}

/// What the manifest is made of besides the endpoints.
pub(super) struct Facts {
    service: Option<Service>,
    signer: Option<Arc<dyn ManifestSigner>>,
    named: BTreeMap<String, Value>,
    payment_ids: PaymentIds,
    body_cap: usize,
    retention: Duration,
    started_ms: u64,
    discovery: Discovery,
}

/// The manifest, if there is nothing wrong with what it is made of.
pub(super) fn publish(
    facts: Facts,
    endpoints: &[BoundEndpoint],
    mistakes: &mut Vec<Mistake>,
) -> Option<Published> {
    let origin = endpoints.first().filter(|_| mistakes.is_empty())?.origin();
    let service = facts.service.unwrap_or_else(|| Service::of_origin(origin));
    if let Some(mistake) = declared(&service) {
        mistakes.push(mistake);
        return None;
    }
    let manifest = manifest::project(manifest::Facts {
        service: &service,
        origin,
        endpoints,
        named: facts.named,
        payment_ids: facts.payment_ids,
        body_cap: facts.body_cap,
        retention_seconds: facts.retention.as_secs(),
        started_ms: facts.started_ms,
        discovery: facts.discovery,
    });
    let seal = Seal {
        signer: facts.signer,
        proof: service.proof().map(str::to_owned),
    };
    let published = manifest
        .map_err(|error| Mistake::Manifest {
            reason: error.to_string(),
        })
        .and_then(|manifest| Published::new(&manifest, &seal).map_err(unpublished))
        .map_err(|mistake| mistakes.push(mistake))
        .ok()?;
    if published.is_long() {
        let bytes = published.bytes().len();
        tracing::warn!(name: event::LONG_MANIFEST, bytes, "many readers take no manifest of that length: sell by several paywalls");
    }
    Some(published)
}

/// Rule: a declared signer is an address.
fn declared(service: &Service) -> Option<Mistake> {
    let mut signers = service.signers().iter();
    signers.find_map(|signer| {
        let error = parse_address(signer).err()?;
        Some(Mistake::Manifest {
            reason: format!("the declared signer `{signer}`: {error}"),
        })
    })
}

fn unpublished(why: Unpublished) -> Mistake {
    match why {
        Unpublished::Format(error) => Mistake::Manifest {
            reason: error.to_string(),
        },
        Unpublished::Signing(mistake) => mistake.into(),
    }
}

/// Room for the path and the amount of a request, which may be longer than those that are measured.
const ROOM: usize = 768;

/// Puts into the terms of every endpoint what catalogues list it by, as much of it as fits.
pub(super) fn list(published: &Published, endpoints: &mut [BoundEndpoint]) {
    for endpoint in endpoints {
        let header = Challenge::new(endpoint, None).header(endpoint.path());
        let terms = header.and_then(|header| {
            headers::decode::<PaymentRequired>(header.as_bytes(), usize::MAX).ok()
        });
        let Some(terms) = terms else { continue };
        let id = operation_id(endpoint.id());
        let most = MAX_HEADER_BYTES.saturating_sub(ROOM);
        let fitted = views::fit(published.manifest(), &id, &terms, most);
        let Some(fitted) = fitted else { continue };
        if !fitted.reductions.is_empty() {
            tracing::warn!(name: event::LONG_TERMS, endpoint = endpoint.id(), bytes = fitted.header_bytes, without = ?fitted.reductions, "the terms are too long for all that catalogues read");
        }
        if let Some(block) = fitted.block {
            endpoint.advertise(BAZAAR, block);
        }
    }
}
