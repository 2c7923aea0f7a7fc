//! From bound endpoints to their gates, with the earlier terms and quotes that may still be paid.

use std::sync::Arc;

use x402_model::asset::Asset;
use x402_model::wire::Offered;

use crate::allowance::Allowances;
use crate::bind::{Bound, BoundEndpoint, Terms, plans};
use crate::gate::free::Free;
use crate::gate::plan::Credit;
use crate::gate::quote::{self, Quotes};
use crate::gate::{Core, Earlier, Gate, Pricing, volume};
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
) -> Result<Vec<Arc<Gate>>, BuildError> {
    let mut gates = Vec::with_capacity(challenges.len());
    let quotes = quotes(core, &bound.endpoints).await?;
    for (endpoint, challenge) in bound.endpoints.into_iter().zip(challenges) {
        let now_ms = core.clock.now_ms();
        let accepts = endpoint.accepts_json();
        let timeout = endpoint.spec().timeout_seconds;
        let superseded = if endpoint.is_priced_by_request() {
            // What was told there is recognised by its token.
            Vec::new()
        } else {
            core.ledger
                .publish_offers(endpoint.id(), &accepts, timeout, now_ms)
                .await
                .map_err(ledger_failed)?
        };
        if let Some(window_ms) = volume::longest_window_ms(&endpoint.spec().price) {
            let kept = core.ledger.accounts();
            let kept = kept.keep_volume(endpoint.id(), window_ms).await;
            kept.map_err(ledger_failed)?;
        }
        let earlier = superseded
            .into_iter()
            .map(|offer| Earlier {
                terms: earlier_terms(&offer.accepts_json, &bound.assets),
                until_ms: offer.until_ms,
            })
            .collect();
        let metrics = core.metrics.endpoint(endpoint.id()).cloned();
        gates.push(Arc::new(Gate {
            metrics: metrics.unwrap_or_else(|| Arc::new(EndpointMetrics::new(&endpoint))),
            pricing: endpoint.is_priced_by_request().then(|| {
                let needs = endpoint.spec().price.needs();
                let callers = allowances.cloned();
                Arc::new(Pricing::new(needs, Arc::clone(&quotes), callers))
            }),
            free: allowances.cloned().and_then(|allowances| {
                let list = endpoint.spec().allowances;
                (!list.is_empty()).then(|| Arc::new(Free { allowances, list }))
            }),
            credit: allowances.cloned().and_then(|allowances| {
                let purses = plans::purses(endpoint.spec());
                (!purses.is_empty()).then(|| Arc::new(Credit { allowances, purses }))
            }),
            endpoint,
            challenge: Arc::new(challenge),
            earlier,
            core: Arc::clone(core),
        }));
    }
    Ok(gates)
}

/// The keys of quotes: a new one, and those of earlier starts that told what may still be paid.
async fn quotes(core: &Core, endpoints: &[BoundEndpoint]) -> Result<Arc<Quotes>, BuildError> {
    let priced = endpoints.iter().filter(|one| one.is_priced_by_request());
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
