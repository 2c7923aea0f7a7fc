//! The checks that need the facilitator and the ledger, and the start of a paywall's work.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::Address;
use axum::Router;
use tokio::time::timeout;
use x402_model::asset::{Asset, parse_address};
use x402_model::evm::{facilitator_address, is_development_account};
use x402_model::network::Network;
use x402_model::wire::{Offered, SupportedResponse};

use super::builder::PaywallBuilder;
use super::mistake::{BuildError, Mistake};
use super::mount::Mount;
use super::publish::{facts, list, publish};
use super::tokens::Tokens;
use super::warning::Warning;
use super::{Paywall, cost, desk, mount, rail_id};
use crate::allowance::Allowances;
use crate::bind::{
    Bound, BoundEndpoint, MAX_TERMS_HEADER, METERED, Mounted, SCHEME, Terms, bind, is_main, plans,
};
use crate::credit::rail::WithCredit;
use crate::credit::{Credits, Purse};
use crate::facilitator::Facilitator;
use crate::gate::free::Free;
use crate::gate::plan::Credit;
use crate::gate::quote::{self, Quotes};
use crate::gate::{Core, Earlier, Gate, Pricing, volume};
use crate::hooks::Hooks;
use crate::ledger::{Durability, Ledger, LedgerError};
use crate::project::Challenge;
use crate::resolver;
use crate::siwx::Siwx;
use crate::telemetry::{EndpointMetrics, PaywallMetrics, event};

/// From this length on proxies with small limits may refuse the header.
const LONG_TERMS_HEADER: usize = 6 * 1024;

/// Longest time that recovery may hold up a start; the background goes on with the rest.
const RECOVERY_TIME: Duration = Duration::from_secs(5);

/// Longest time that the chain may take to answer questions that a start can do without.
const LOOK_TIME: Duration = Duration::from_secs(5);

pub(super) async fn build<S>(builder: PaywallBuilder<S>) -> Result<Paywall<S>, BuildError>
where
    S: Clone + Send + Sync + 'static,
{
    let mut given = builder.given.clone();
    given.min_remaining_seconds = builder.limits.min_remaining_seconds();
    let mut mistakes = builder.mistakes.clone();
    let mounts = builder.mounts.iter();
    let mounted: Vec<Mounted> = mounts.map(|mount| mount.mounted.clone()).collect();
    builder.limits.check(&mut mistakes);
    let time = builder.limits.verify_timeout;
    let look_time = time.min(LOOK_TIME);
    let chain = builder.facilitator.clone();
    given.tokens = Tokens::look(chain.as_deref(), &given.rails, look_time).await;
    let plans = plans::sold(&mounted, &mut mistakes);
    let mut bound = bind(&mounted, &plans, &given, &mut mistakes);
    let mut warnings = given.tokens.check(&bound, &mut mistakes);
    let facts = facts(&builder, &mut bound.endpoints);
    let PaywallBuilder {
        facilitator,
        ledger,
        clock,
        hooks,
        limits,
        factories,
        volatile_allowed,
        discovery,
        mounts,
        ..
    } = builder;
    let able = kinds(facilitator.as_ref(), time, &bound, &mut mistakes).await;
    for endpoint in &mut bound.endpoints {
        endpoint.settle_by(&able.settlers);
        endpoint.sponsor(&able.extensions);
    }
    // Plans are told by the endpoints that take their credit.
    let listed = bound.endpoints.get(..mounted.len());
    let published = publish(facts, listed.unwrap_or(&bound.endpoints), &mut mistakes);
    if let (Some(published), true) = (&published, discovery.bazaar) {
        list(published, &mut bound.endpoints);
    }
    let challenges = challenges(&bound.endpoints, &mut mistakes);
    let kept = ledger.as_deref();
    durable(kept, volatile_allowed, &bound.assets, &mut mistakes);
    let (facilitator, ledger) = parts(facilitator, ledger, mistakes)?;
    // Without endpoints there is nothing to publish, which was noted as a mistake above.
    let published = published.ok_or_else(|| BuildError::one(Mistake::NothingMounted))?;
    let prices = &given.native_prices;
    warnings.extend(cost::look(&*facilitator, &bound.endpoints, prices, look_time).await);
    tell(&warnings);
    let hooks = hooks.map(|hooks| Hooks::new(hooks, limits.hook_timeout));
    let credit = WithCredit::new(facilitator, Arc::clone(&ledger), Arc::clone(&clock));
    let core = Core::new(
        Arc::new(credit),
        ledger,
        clock,
        limits,
        factories,
        able.version_1,
        PaywallMetrics::new(&bound.endpoints),
    );
    let core = core.with_hooks(hooks).with_credit(!plans.is_empty());
    let core = Arc::new(core.with_link(discovery.link_header()));
    let endpoints: Arc<[BoundEndpoint]> = bound.endpoints.clone().into();
    let router = route(&core, bound, challenges, mounts, &plans).await?;
    let router = router.merge(published.routes(discovery));
    let credits = credits(&core, &plans);
    recover(&core).await;
    resolver::spawn(&core);
    tracing::info!(name: event::STARTED, endpoints = endpoints.len(), "paywall started");
    Ok(Paywall {
        router,
        endpoints,
        manifest: Arc::new(published),
        warnings: warnings.into(),
        core,
        credits,
    })
}

/// Everything that is served: paid handlers, and the places where plans are sold.
async fn route<S>(
    core: &Arc<Core>,
    bound: Bound,
    challenges: Vec<Challenge>,
    mounts: Vec<Mount<S>>,
    plans: &[plans::Sold],
) -> Result<Router<S>, BuildError>
where
    S: Clone + Send + Sync + 'static,
{
    let allowances = allowances(core, &bound);
    let mut gates = gates(core, bound, challenges, allowances.as_ref()).await?;
    // Plans are bound after the endpoints.
    let sales = gates.split_off(mounts.len().min(gates.len()));
    let handlers = mounts.into_iter().map(|mount| mount.handler);
    let router = mount::router(gates.into_iter().zip(handlers).collect());
    Ok(match allowances {
        Some(allowances) => desk::add(router, sales, plans, &allowances),
        None => router,
    })
}

type Parts = (Arc<dyn Facilitator>, Arc<dyn Ledger>);

/// What a paywall cannot do without, if nothing else is wrong.
fn parts(
    facilitator: Option<Arc<dyn Facilitator>>,
    ledger: Option<Arc<dyn Ledger>>,
    mistakes: Vec<Mistake>,
) -> Result<Parts, BuildError> {
    match (facilitator, ledger, BuildError::of(mistakes)) {
        (_, _, Some(error)) => Err(error),
        (Some(facilitator), Some(ledger), None) => Ok((facilitator, ledger)),
        // A missing part was noted as a mistake above.
        (None, _, None) => Err(BuildError::one(Mistake::FacilitatorMissing)),
        (_, None, None) => Err(BuildError::one(Mistake::LedgerMissing)),
    }
}

fn tell(warnings: &[Warning]) {
    for warning in warnings {
        tracing::warn!(name: event::START_WARNING, code = warning.code(), rail = warning.rail(), detail = %warning, "the paywall starts nevertheless");
    }
}

/// Finishes what earlier processes left. What takes longer than a start may goes on in the background.
async fn recover(core: &Arc<Core>) {
    let recovery = core.tasks.spawn({
        let core = Arc::clone(core);
        async move { resolver::recover(&core).await }
    });
    if let Ok(Ok(recovered)) = timeout(RECOVERY_TIME, recovery).await {
        tracing::info!(name: event::RECOVERED, ?recovered, "earlier payments were looked at");
    }
}

fn challenges(endpoints: &[BoundEndpoint], mistakes: &mut Vec<Mistake>) -> Vec<Challenge> {
    let challenges: Vec<Challenge> = endpoints.iter().map(Challenge::new).collect();
    for (endpoint, challenge) in endpoints.iter().zip(&challenges) {
        header_length(endpoint, challenge, mistakes);
    }
    challenges
}

fn header_length(endpoint: &BoundEndpoint, challenge: &Challenge, mistakes: &mut Vec<Mistake>) {
    let bytes = challenge.header_len(endpoint.path());
    if bytes > MAX_TERMS_HEADER {
        mistakes.push(Mistake::HeaderTooLong {
            endpoint: endpoint.id().to_owned(),
            bytes,
            max: MAX_TERMS_HEADER,
        });
    } else if bytes > LONG_TERMS_HEADER {
        tracing::warn!(name: event::LONG_TERMS, endpoint = endpoint.id(), bytes, "many proxies cut headers at 8 KiB");
    }
}

/// What a facilitator can do besides settling every accepted rail.
#[derive(Debug, Default)]
struct Able {
    /// Networks on which it takes version 1 payments as such.
    version_1: Vec<Network>,
    /// Extensions that it understands.
    extensions: Vec<String>,
    /// Who settles metered payments, by network.
    settlers: Vec<(Network, Address)>,
}

/// The facilitator must settle every accepted rail, with accounts that are its own.
async fn kinds(
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

fn durable(
    ledger: Option<&dyn Ledger>,
    volatile_allowed: bool,
    assets: &[Asset],
    mistakes: &mut Vec<Mistake>,
) {
    let Some(ledger) = ledger else {
        mistakes.push(Mistake::LedgerMissing);
        return;
    };
    let real = assets.iter().find(|asset| is_main(&asset.network));
    if let (Durability::Volatile, Some(asset), false) =
        (ledger.durability(), real, volatile_allowed)
    {
        mistakes.push(Mistake::LedgerVolatile {
            rail: rail_id(asset),
        });
    }
}

/// The purses that the plans fill.
fn credits(core: &Core, plans: &[plans::Sold]) -> Credits {
    let mut purses: Vec<Purse> = Vec::new();
    for plan in plans {
        if !purses.contains(&plan.purse) {
            purses.push(plan.purse.clone());
        }
    }
    Credits::new(
        purses.into(),
        Arc::clone(&core.ledger),
        Arc::clone(&core.clock),
    )
}

/// What counts free calls and knows who signs in, if any endpoint asks for it. Accounts of every network that is accepted may
/// sign in.
fn allowances(core: &Arc<Core>, bound: &Bound) -> Option<Arc<Allowances>> {
    let endpoint = bound.endpoints.iter().find(|one| {
        let spec = one.spec();
        !spec.allowances.is_empty() || !spec.plans.is_empty() || spec.price.needs().volume
    })?;
    let mut chains: Vec<String> = bound
        .assets
        .iter()
        .map(|asset| asset.network.to_string())
        .collect();
    chains.sort_unstable();
    chains.dedup();
    let chains: Vec<&str> = chains.iter().map(String::as_str).collect();
    let parts = (
        Arc::clone(&core.clock),
        Arc::clone(&core.ledger),
        Arc::clone(&core.facilitator),
    );
    let allowances = Allowances::new(Arc::clone(&core.ledger), Arc::clone(&core.clock));
    Some(Arc::new(
        match Siwx::new(endpoint.origin(), &chains, parts.0, parts.1, parts.2) {
            Ok(siwx) => allowances.with_sign_in(siwx),
            Err(error) => {
                // Cannot be: origin and networks were checked. Without it, calls that are free for known callers cost their price.
                tracing::error!(%error, "nobody can sign in");
                allowances
            }
        },
    ))
}

/// Publishes the terms of every endpoint, and learns which earlier ones may still be paid.
async fn gates(
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
