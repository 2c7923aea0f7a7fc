//! The manifest of a paywall, from what its builder was given.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::Address;
use serde_json::Value;
use x402_model::asset::parse_address;
use x402_model::endpoint::operation_id;
use x402_model::manifest::Manifest;

use super::PaymentIds;
use super::builder::PaywallBuilder;
use super::mistake::{BuildError, Mistake, SigningMistake};
use crate::bind::{BoundEndpoint, Mounted, bind};
use crate::manifest::{
    self, Discovery, ManifestSigner, Published, Seal, Service, Unpublished, shapes,
};
use crate::telemetry::event;
use crate::timeline::Timeline;

/// The manifest of what a builder was given, without facilitator and ledger.
pub(super) fn manifest<S>(
    builder: &PaywallBuilder<S>,
    signer: Option<Arc<dyn ManifestSigner>>,
) -> Result<Published, BuildError> {
    let mut offline = Offline::of(builder, signer);
    let published = offline
        .facts
        .publish(&offline.endpoints, &mut offline.mistakes);
    offline.found(published)
}

/// The signatures over every manifest that will be published, a line for each.
pub(super) fn signatures<S>(
    builder: &PaywallBuilder<S>,
    signer: Arc<dyn ManifestSigner>,
) -> Result<String, BuildError> {
    let mut offline = Offline::of(builder, Some(signer));
    if !offline.facts.dated() {
        offline.mistakes.push(SigningMistake::Undated.into());
    }
    let published = offline
        .facts
        .publish_all(&offline.endpoints, &mut offline.mistakes);
    let published = offline.found(published)?;
    let mut lines: Vec<&str> = Vec::new();
    for manifest in published.all().map(Published::manifest) {
        let entries = manifest.integrity.iter().flat_map(|it| &it.signatures);
        for entry in entries {
            if !lines.contains(&&*entry.signature) {
                lines.push(&entry.signature);
            }
        }
    }
    Ok(lines.join("\n") + "\n")
}

/// What a builder was given, bound without asking anybody, at the prices of the time of its issue: so the same code has the same
/// manifest whenever it is asked.
struct Offline {
    endpoints: Vec<BoundEndpoint>,
    facts: Facts,
    mistakes: Vec<Mistake>,
}

impl Offline {
    fn of<S>(builder: &PaywallBuilder<S>, signer: Option<Arc<dyn ManifestSigner>>) -> Self {
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
        let service = builder.service.as_ref();
        let issued = service.and_then(Service::issued_seconds);
        let issued = issued.unwrap_or_else(|| builder.clock.now_seconds());
        for endpoint in &mut bound.endpoints {
            endpoint.settle_by(&anybody);
            *endpoint = endpoint.when(issued);
        }
        let facts = Facts {
            signer,
            ..facts(builder, &mut bound.endpoints)
        };
        Self {
            endpoints: bound.endpoints,
            facts,
            mistakes,
        }
    }

    /// What was made of it, or why nothing was.
    fn found<T>(self, made: Option<T>) -> Result<T, BuildError> {
        match (made, BuildError::of(self.mistakes)) {
            (_, Some(error)) => Err(error),
            (Some(made), None) => Ok(made),
            (None, None) => Err(BuildError::one(Mistake::NothingMounted)),
        }
    }
}

/// What the manifest is made of besides the endpoints, which learn their schemas.
pub(super) fn facts<S>(builder: &PaywallBuilder<S>, endpoints: &mut [BoundEndpoint]) -> Facts {
    let schemas = shapes::collect(builder.mounts.iter().map(|mount| mount.describe));
    // Plans come after the handlers, and describe nothing.
    if endpoints.len() >= schemas.shapes.len() {
        let described = endpoints.iter_mut().zip(schemas.shapes);
        described.for_each(|(endpoint, shapes)| endpoint.describe(&shapes));
    }
    Facts {
        service: builder.service.clone(),
        signer: builder.signer.clone(),
        signatures: builder.signatures.clone(),
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
    signatures: Option<Arc<str>>,
    named: BTreeMap<String, Value>,
    payment_ids: PaymentIds,
    body_cap: usize,
    retention: Duration,
    started_ms: u64,
    discovery: Discovery,
}

impl Facts {
    /// Whether it was said when the manifest is issued.
    fn dated(&self) -> bool {
        let service = self.service.as_ref();
        service.is_some_and(|service| service.issued_seconds().is_some())
    }

    /// The manifest of these endpoints at the prices that they have, if there is nothing wrong with what it is made of.
    fn publish(
        &self,
        endpoints: &[BoundEndpoint],
        mistakes: &mut Vec<Mistake>,
    ) -> Option<Published> {
        let origin = endpoints.first().filter(|_| mistakes.is_empty())?.origin();
        let service = self.service.clone();
        let service = service.unwrap_or_else(|| Service::of_origin(origin));
        let published = self.made(&service, origin, endpoints);
        published.map_err(|mistake| mistakes.push(mistake)).ok()
    }

    fn made(
        &self,
        service: &Service,
        origin: &str,
        endpoints: &[BoundEndpoint],
    ) -> Result<Published, Mistake> {
        declared(service)?;
        let manifest = self.projected(service, origin, endpoints);
        let seal = Seal {
            signer: self.signer.clone(),
            given: self.signatures.clone(),
            proof: service.proof().map(str::to_owned),
            dated: self.dated(),
        };
        let manifest = manifest.map_err(|error| Mistake::Manifest {
            reason: error.to_string(),
        })?;
        Published::new(&manifest, &seal).map_err(unpublished)
    }

    fn projected(
        &self,
        service: &Service,
        origin: &str,
        endpoints: &[BoundEndpoint],
    ) -> Result<Manifest, serde_json::Error> {
        manifest::project(manifest::Facts {
            service,
            origin,
            endpoints,
            named: self.named.clone(),
            payment_ids: self.payment_ids,
            body_cap: self.body_cap,
            retention_seconds: self.retention.as_secs(),
            started_ms: self.started_ms,
            discovery: self.discovery,
        })
    }

    /// What the published manifest leaves out, because it counts in one currency: as manifests that nobody is shown, for blocks in
    /// which no price stands.
    pub(super) fn left_out(&self, published: &Manifest, all: &[BoundEndpoint]) -> Vec<Manifest> {
        let mut rest = not_in(published, all);
        let mut manifests = Vec::new();
        while let Some(first) = rest.first() {
            let (service, origin) = (Service::of_origin(first.origin()), first.origin());
            let Ok(manifest) = self.projected(&service, origin, &rest) else {
                break;
            };
            let left = not_in(&manifest, &rest);
            if left.len() == rest.len() {
                break;
            }
            rest = left;
            manifests.push(manifest);
        }
        manifests
    }

    /// The manifest of now, and those of the times at which prices will change: all of them are made, and signed, at the start.
    pub(super) fn publish_all(
        &self,
        endpoints: &[BoundEndpoint],
        mistakes: &mut Vec<Mistake>,
    ) -> Option<Timeline<Published>> {
        let first = self.publish(endpoints, mistakes)?;
        if first.is_long() {
            let bytes = first.bytes().len();
            tracing::warn!(name: event::LONG_MANIFEST, bytes, "many readers take no manifest of that length: sell by several paywalls");
        }
        let times = endpoints.iter().flat_map(BoundEndpoint::to_come);
        let times: BTreeSet<u64> = times.map(BoundEndpoint::since).collect();
        let mut line = Timeline::always(first);
        for time in times {
            let then: Vec<BoundEndpoint> = endpoints.iter().map(|one| one.when(time)).collect();
            let published = self.publish(&then, mistakes)?;
            line = line.then(time.saturating_mul(1000), published);
        }
        Some(line)
    }
}

/// The endpoints that a manifest does not have.
fn not_in(manifest: &Manifest, endpoints: &[BoundEndpoint]) -> Vec<BoundEndpoint> {
    let told: BTreeSet<&str> = manifest.endpoints.iter().map(|one| &*one.id).collect();
    let left = endpoints.iter();
    let left = left.filter(|one| !told.contains(&*operation_id(one.id())));
    left.cloned().collect()
}

/// Rule: a declared signer is an address.
fn declared(service: &Service) -> Result<(), Mistake> {
    let mut signers = service.signers().iter();
    signers.try_for_each(|signer| match parse_address(signer) {
        Ok(_) => Ok(()),
        Err(error) => Err(Mistake::Manifest {
            reason: format!("the declared signer `{signer}`: {error}"),
        }),
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
