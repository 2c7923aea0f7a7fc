//! What the facilitator says it settles, compared with what the endpoints are paid in.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::Address;
use tokio::time::timeout;
use x402_model::asset::{Asset, parse_address};
use x402_model::evm::{facilitator_address, is_development_account};
use x402_model::network::Network;
use x402_model::wire::SupportedResponse;

use crate::bind::{Bound, BoundEndpoint, METERED, SCHEME, is_main};
use crate::facilitator::Facilitator;
use crate::paywall::mistake::Mistake;
use crate::paywall::rail_id;

/// What a facilitator can do besides settling every accepted rail.
#[derive(Debug, Default)]
pub(super) struct Able {
    /// Networks on which it takes version 1 payments as such.
    pub(super) version_1: Vec<Network>,
    /// Extensions that it understands.
    pub(super) extensions: Vec<String>,
    /// Who settles metered payments, by network.
    settlers: Vec<(Network, Address)>,
}

impl Able {
    /// Tells the endpoints what concerns their terms.
    pub(super) fn tell(&self, endpoints: &mut [BoundEndpoint]) {
        for endpoint in endpoints {
            endpoint.settle_by(&self.settlers);
            endpoint.sponsor(&self.extensions);
        }
    }
}

/// The facilitator must settle every accepted rail, with accounts that are its own.
pub(super) async fn kinds(
    facilitator: Option<&Arc<dyn Facilitator>>,
    time: Duration,
    bound: &Bound,
    mistakes: &mut Vec<Mistake>,
) -> Able {
    let Some(facilitator) = facilitator else {
        mistakes.push(Mistake::FacilitatorMissing);
        return Able::default();
    };
    let supported = match timeout(time, facilitator.supported()).await {
        Ok(Ok(supported)) => supported,
        Ok(Err(error)) => {
            mistakes.push(Mistake::FacilitatorUnreachable {
                reason: error.to_string(),
            });
            return Able::default();
        }
        Err(_) => {
            mistakes.push(Mistake::FacilitatorUnreachable {
                reason: "no answer in time".to_owned(),
            });
            return Able::default();
        }
    };
    let assets = &bound.assets;
    let at_a_price = bound.endpoints.iter().any(|one| !one.is_metered());
    for asset in assets {
        if at_a_price && !settles(&supported, asset) {
            mistakes.push(Mistake::KindMissing {
                scheme: SCHEME,
                network: asset.network.to_string(),
                rail: rail_id(asset),
                help: what_it_does(&supported, SCHEME),
            });
        }
        if is_main(&asset.network) {
            settlers(&supported, asset, mistakes);
        }
    }
    let settlers = metering(&supported, bound, mistakes);
    let networks = assets.iter().map(|asset| &asset.network);
    let version_1 = networks
        .filter(|network| {
            let short = network.short_name();
            short.is_some_and(|short| supported.supports(1, SCHEME, short))
        })
        .cloned()
        .collect();
    Able {
        version_1,
        extensions: supported.extensions,
        settlers,
    }
}

/// Who settles metered payments, on every network on which an endpoint takes them.
fn metering(
    supported: &SupportedResponse,
    bound: &Bound,
    mistakes: &mut Vec<Mistake>,
) -> Vec<(Network, Address)> {
    let mut settlers: Vec<(Network, Address)> = Vec::new();
    let metered = bound.endpoints.iter().filter(|one| one.is_metered());
    for asset in metered.flat_map(BoundEndpoint::assets) {
        if settlers.iter().any(|(on, _)| *on == asset.network) {
            continue;
        }
        let kinds = supported.kinds.iter().filter(|kind| {
            kind.x402_version == 2 && kind.scheme == METERED && asset.network.matches(&kind.network)
        });
        let named = kinds.filter_map(|kind| facilitator_address(kind.extra.as_ref()?).ok());
        match named.take(1).next() {
            Some(address) => settlers.push((asset.network.clone(), address)),
            None => mistakes.push(Mistake::KindMissing {
                scheme: METERED,
                network: asset.network.to_string(),
                rail: rail_id(asset),
                help: what_it_does(supported, METERED),
            }),
        }
    }
    settlers
}

fn settles(supported: &SupportedResponse, asset: &Asset) -> bool {
    supported.kinds.iter().any(|kind| {
        kind.x402_version == 2 && kind.scheme == SCHEME && asset.network.matches(&kind.network)
    })
}

fn what_it_does(supported: &SupportedResponse, scheme: &str) -> String {
    let kinds: Vec<String> = supported
        .kinds
        .iter()
        .filter(|kind| kind.x402_version == 2 && kind.scheme == scheme)
        .take(8)
        .map(|kind| kind.network.clone())
        .collect();
    if kinds.is_empty() {
        "it settles that nowhere; use another facilitator".to_owned()
    } else {
        format!(
            "it does on {}; accept a rail there, or use another facilitator",
            kinds.join(", ")
        )
    }
}

fn settlers(supported: &SupportedResponse, asset: &Asset, mistakes: &mut Vec<Mistake>) {
    let accounts = supported
        .signers
        .iter()
        .filter(|(pattern, _)| asset.network.matches(pattern));
    for address in accounts.flat_map(|(_, addresses)| addresses) {
        if parse_address(address).is_ok_and(is_development_account) {
            let mistake = Mistake::SettlerDevelopment {
                address: address.clone(),
                network: asset.network.to_string(),
            };
            if !mistakes.contains(&mistake) {
                mistakes.push(mistake);
            }
        }
    }
}
