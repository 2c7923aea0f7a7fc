//! From bound endpoints to their gates, with the earlier terms and quotes that may still be paid.

use std::sync::Arc;

use x402_model::asset::Asset;
use x402_model::wire::Offered;

use crate::allowance::Allowances;
use crate::bind::{Bound, BoundEndpoint, Terms, plans};
use crate::gate::free::Free;
use crate::gate::plan::Credit;
use crate::gate::quote::{self, Quotes};
use crate::gate::{Core, Earlier, Gate, Pricing, Sold, Stages, volume};
use crate::ledger::LedgerError;
use crate::paywall::mistake::{BuildError, Mistake};
use crate::project::Challenge;
use crate::telemetry::EndpointMetrics;

/// Publishes the terms of every endpoint, and learns which earlier ones may still be paid.
pub(super) async fn gates(
    core: &Arc<Core>,
    bound: Bound,
    challenges: Vec<Challenge>,
    allowances: Option<&Arc<Allowances>>,
) -> Result<Vec<Sold>, BuildError> {
    let mut sold = Vec::with_capacity(challenges.len());
    let maker = Maker {
        core,
        quotes: quotes(core, &bound.endpoints).await?,
        assets: &bound.assets,
        allowances,
    };
    for (endpoint, challenge) in bound.endpoints.into_iter().zip(challenges) {
        maker.keep_volume(&endpoint).await?;
        let earlier = maker.publish(&endpoint).await?;
        let stages = endpoint.stages().to_vec();
        let since = endpoint.since();
        let gate = maker.gate(endpoint, challenge, earlier);
        let mut gates = Vec::with_capacity(stages.len());
        let mut present = 0;
        for stage in stages {
            if stage.since() == since {
                present = gates.len();
                gates.push(Arc::clone(&gate));
            } else {
                let challenge = gate.challenge.of(&stage);
                // Terms that are told from a later time on, or were until an earlier one, have the gate before them for what was told.
                gates.push(maker.gate(stage, challenge, Vec::new()));
            }
        }
        let stages = Stages::of(&gates, present).map(Arc::new);
        sold.push(Sold { gate, stages });
    }
    Ok(sold)
}

/// What all gates are made with.
struct Maker<'m> {
    core: &'m Arc<Core>,
    quotes: Arc<Quotes>,
    assets: &'m [Asset],
    allowances: Option<&'m Arc<Allowances>>,
}

impl Maker<'_> {
    fn gate(
        &self,
        endpoint: BoundEndpoint,
        challenge: Challenge,
        earlier: Vec<Earlier>,
    ) -> Arc<Gate> {
        let core = self.core;
        let callers = || self.allowances.cloned();
        let metrics = core.metrics.endpoint(endpoint.id()).cloned();
        Arc::new(Gate {
            metrics: metrics.unwrap_or_else(|| Arc::new(EndpointMetrics::new(&endpoint))),
            pricing: endpoint.is_priced_by_request().then(|| {
                let needs = endpoint.spec().price.needs();
                Arc::new(Pricing::new(needs, Arc::clone(&self.quotes), callers()))
            }),
            free: callers().and_then(|allowances| {
                let list = endpoint.spec().allowances;
                (!list.is_empty()).then(|| Arc::new(Free { allowances, list }))
            }),
            credit: callers().and_then(|allowances| {
                let purses = plans::purses(endpoint.spec());
                (!purses.is_empty()).then(|| Arc::new(Credit { allowances, purses }))
            }),
            endpoint,
            challenge: Arc::new(challenge),
            earlier,
            core: Arc::clone(core),
        })
    }

    /// Publishes the present terms of an endpoint; what the ledger knows to be told earlier may still be paid.
    async fn publish(&self, endpoint: &BoundEndpoint) -> Result<Vec<Earlier>, BuildError> {
        if endpoint.is_priced_by_request() {
            // What was told there is recognised by its token.
            return Ok(Vec::new());
        }
        let (id, accepts) = (endpoint.id(), endpoint.accepts_json());
        let (timeout, now_ms) = (endpoint.spec().timeout_seconds, self.core.clock.now_ms());
        let ledger = &self.core.ledger;
        let superseded = ledger.publish_offers(id, &accepts, timeout, now_ms).await;
        let superseded = superseded.map_err(ledger_failed)?.into_iter();
        Ok(superseded
            .map(|offer| Earlier {
                terms: earlier_terms(&offer.accepts_json, self.assets),
                until_ms: offer.until_ms,
            })
            .collect())
    }

    /// Has the ledger keep what payers buy for as long as a price looks back.
    async fn keep_volume(&self, endpoint: &BoundEndpoint) -> Result<(), BuildError> {
        let stages = endpoint.stages().iter().chain([endpoint]);
        let windows = stages.filter_map(|stage| volume::longest_window_ms(&stage.spec().price));
        let Some(window_ms) = windows.max() else {
            return Ok(());
        };
        let accounts = self.core.ledger.accounts();
        let kept = accounts.keep_volume(endpoint.id(), window_ms).await;
        kept.map_err(ledger_failed)
    }
}

/// The keys of quotes: a new one, and those of earlier starts that told what may still be paid.
async fn quotes(core: &Core, endpoints: &[BoundEndpoint]) -> Result<Arc<Quotes>, BuildError> {
    let priced = endpoints
        .iter()
        .filter(|one| one.is_ever_priced_by_request());
    let Some(timeout) = priced.map(|one| one.spec().timeout_seconds).max() else {
        return Ok(quote::none());
    };
    let key =
        quote::new_key().map_err(|reason| BuildError::one(Mistake::NoRandomNumbers { reason }))?;
    let earlier = core
        .ledger
        .publish_offers(
            quote::LEDGER_NAME,
            &quote::key_text(&key),
            timeout,
            core.clock.now_ms(),
        )
        .await
        .map_err(ledger_failed)?;
    let earlier = earlier
        .iter()
        .filter_map(|offer| Some((quote::key_of(&offer.accepts_json)?, offer.until_ms)))
        .collect();
    Ok(Arc::new(Quotes::new(key, earlier)))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape `map_err` asks for"
)]
fn ledger_failed(error: LedgerError) -> BuildError {
    BuildError::one(Mistake::LedgerFailed {
        reason: error.to_string(),
    })
}

fn earlier_terms(accepts_json: &str, assets: &[Asset]) -> Vec<Arc<Terms>> {
    let offers: Vec<Offered> = serde_json::from_str(accepts_json).unwrap_or_default();
    offers
        .into_iter()
        .filter_map(|offer| Terms::of_earlier(offer, assets))
        .map(Arc::new)
        .collect()
}
