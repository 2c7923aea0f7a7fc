//! What catalogues list endpoints by, put into their terms: as much of it as fits into a header.

use serde_json::{Map, Value};
use x402_model::asset::Asset;
use x402_model::endpoint::operation_id;
use x402_model::extension::siwx::{self, Chain, Origin};
use x402_model::manifest::Manifest;
use x402_model::manifest::views::{self, Fitted, MAX_HEADER_BYTES, Reduction, header_bytes};
use x402_model::wire::{PaymentRequired, headers};

use crate::bind::BoundEndpoint;
use crate::manifest::BAZAAR;
use crate::project::Challenge;
use crate::telemetry::event;

/// Room for the path and the amount of a request, which may be longer than those that are measured.
const ROOM: usize = 768;

/// Puts into the terms of every endpoint what catalogues list it by, if they are `told`, as much of it as fits. Where the address of
/// the picture does not fit, it is left out.
pub(super) fn list(
    manifests: &[&Manifest],
    endpoints: &mut [BoundEndpoint],
    assets: &[Asset],
    told: bool,
) {
    let most = MAX_HEADER_BYTES.saturating_sub(ROOM);
    for endpoint in endpoints {
        let Some(terms) = longest(endpoint, assets) else {
            continue;
        };
        let fitted = told.then(|| {
            let id = operation_id(endpoint.id());
            let mut all = manifests.iter();
            all.find_map(|manifest| views::fit(manifest, &id, &terms, most))
        });
        let fitted = fitted.flatten();
        let fitted = fitted.unwrap_or_else(|| without_block(&terms, most));
        if !fitted.reductions.is_empty() {
            tracing::warn!(name: event::LONG_TERMS, endpoint = endpoint.id(), bytes = fitted.header_bytes, without = ?fitted.reductions, "the terms are too long for all that catalogues read");
        }
        if fitted.reductions.contains(&Reduction::Icon) {
            endpoint.hide_icon();
        }
        if let Some(block) = fitted.block {
            endpoint.advertise(BAZAAR, &block);
        }
    }
}

/// The terms of an endpoint with what is added to them in every answer.
fn longest(endpoint: &BoundEndpoint, assets: &[Asset]) -> Option<PaymentRequired> {
    let header = Challenge::new(endpoint, None).header(endpoint.path())?;
    let terms = headers::decode::<PaymentRequired>(header.as_bytes(), usize::MAX);
    let mut terms = terms.ok()?;
    if endpoint.asks_who_calls() {
        let origin = Origin::new(endpoint.origin())?;
        let challenge = sign_in(&origin, endpoint.path(), assets);
        let extensions = terms.extensions.get_or_insert_with(Map::new);
        extensions.insert(siwx::KEY.to_owned(), challenge);
    }
    Some(terms)
}

/// A challenge as long as those that an endpoint's answers have: nonce and times are always of one length.
fn sign_in(origin: &Origin, path: &str, assets: &[Asset]) -> Value {
    let chains = chains(assets);
    let chains: Vec<Chain> = chains
        .iter()
        .filter_map(|chain| Chain::new(chain))
        .collect();
    siwx::challenge(origin, path, &chains, None, [0; 16], 0, 0)
}

/// The networks whose accounts may sign in: every one that is accepted.
pub(super) fn chains(assets: &[Asset]) -> Vec<String> {
    let networks = assets.iter().map(|asset| asset.network.to_string());
    let mut chains: Vec<String> = networks.collect();
    chains.sort_unstable();
    chains.dedup();
    chains
}

/// The terms of an endpoint that is not listed.
fn without_block(terms: &PaymentRequired, most: usize) -> Fitted {
    let header_bytes = header_bytes(terms);
    let long = terms.resource.icon_url.is_some() && header_bytes > most;
    Fitted {
        block: None,
        reductions: long.then_some(Reduction::Icon).into_iter().collect(),
        header_bytes,
    }
}
