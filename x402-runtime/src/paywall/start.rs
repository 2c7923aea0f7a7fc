//! The checks that need the facilitator and the ledger, and the start of a paywall's work.

mod gates;
mod kinds;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderValue;
use tokio::time::timeout;
use x402_model::asset::Asset;
use x402_model::manifest::Manifest;

use self::gates::gates;
use self::kinds::kinds;
use super::builder::PaywallBuilder;
use super::listing::{chains, list};
use super::mistake::{BuildError, Mistake};
use super::mount::Mount;
use super::publish::{Facts, facts};
use super::tokens::Tokens;
use super::warning::Warning;
use super::{Paywall, cost, desk, lifecycle, mount, rail_id};
use crate::allowance::Allowances;
use crate::bind::{Bound, BoundEndpoint, Given, MAX_TERMS_HEADER, Mounted, bind, is_main, plans};
use crate::credit::rail::WithCredit;
use crate::credit::{Credits, Purse};
use crate::facilitator::Facilitator;
use crate::gate::Core;
use crate::hooks::Hooks;
use crate::ledger::{Durability, Ledger};
use crate::manifest::{self, Published, Service};
use crate::project::Challenge;
use crate::resolver;
use crate::siwx::Siwx;
use crate::telemetry::{PaywallMetrics, event};
use crate::timeline::Timeline;

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
    let time = builder.limits.verify_timeout;
    let look_time = time.min(LOOK_TIME);
    let chain = builder.facilitator.clone();
    given.tokens = Tokens::look(chain.as_deref(), &given.rails, look_time).await;
    let Draft {
        plans,
        mut bound,
        facts,
        mut warnings,
        mut mistakes,
    } = draft(&builder, &given);
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
    able.tell(&mut bound.endpoints);
    let (mounted, told) = (mounts.len(), discovery.bazaar);
    let published = published(&facts, &mut bound, mounted, told, &mut mistakes);
    let link = discovery.link_header();
    let challenges = challenges(&bound.endpoints, link.as_ref(), &mut mistakes);
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
    let (credit, version_1) = (Arc::new(credit), able.version_1);
    let metrics = PaywallMetrics::new(&bound.endpoints);
    let core = Core::new(credit, ledger, clock, limits, factories, version_1, metrics);
    let core = Arc::new(core.with_hooks(hooks).with_credit(!plans.is_empty()));
    let endpoints: Arc<[BoundEndpoint]> = bound.endpoints.clone().into();
    let router = route(&core, bound, challenges, mounts, &plans).await?;
    let router = router.merge(manifest::routes(&published, discovery, &core.clock));
    let credits = credits(&core, &plans);
    resolve(&core).await;
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

/// What was mounted, bound to what the operator accepts.
struct Draft {
    plans: Vec<plans::Sold>,
    bound: Bound,
    facts: Facts,
    warnings: Vec<Warning>,
    mistakes: Vec<Mistake>,
}

/// Binds what was mounted and plans what is published of it, noting every mistake.
fn draft<S>(builder: &PaywallBuilder<S>, given: &Given) -> Draft {
    let mut mistakes = builder.mistakes.clone();
    let mounts = builder.mounts.iter();
    let mounted: Vec<Mounted> = mounts.map(|mount| mount.mounted.clone()).collect();
    builder.limits.check(&mut mistakes);
    let plans = plans::sold(&mounted, &mut mistakes);
    let mut bound = bind(&mounted, &plans, given, &mut mistakes);
    let mut warnings = given.tokens.check(&bound, &mut mistakes);
    let now = builder.clock.now_seconds();
    let service = builder.service.as_ref();
    let issued = service.and_then(Service::issued_seconds);
    for endpoint in &mut bound.endpoints {
        *endpoint = endpoint.when(now);
        warnings.extend(lifecycle::warnings(endpoint, now, issued));
    }
    let facts = facts(builder, &mut bound.endpoints);
    Draft {
        plans,
        bound,
        facts,
        warnings,
        mistakes,
    }
}

/// The manifest. Catalogues find what they list in the terms, if they are told.
fn published(
    facts: &Facts,
    bound: &mut Bound,
    mounted: usize,
    told: bool,
    mistakes: &mut Vec<Mistake>,
) -> Option<Timeline<Published>> {
    // Plans are told by the endpoints that take their credit.
    let Bound { endpoints, assets } = bound;
    let listed = endpoints.get(..mounted).unwrap_or(endpoints);
    let published = facts.publish_all(listed, mistakes);
    if let Some(published) = &published {
        let shown = published.at(0).manifest();
        let left_out = facts.left_out(shown, listed);
        let all: Vec<&Manifest> = std::iter::once(shown).chain(&left_out).collect();
        list(&all, endpoints, assets, told);
    }
    published
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

/// Finishes what earlier processes left. What takes longer than a start may goes on in the background, where the rest is done
/// from now on.
async fn resolve(core: &Arc<Core>) {
    let recovery = core.tasks.spawn({
        let core = Arc::clone(core);
        async move { resolver::recover(&core).await }
    });
    if let Ok(Ok(recovered)) = timeout(RECOVERY_TIME, recovery).await {
        tracing::info!(name: event::RECOVERED, ?recovered, "earlier payments were looked at");
    }
    resolver::spawn(core);
}

fn challenges(
    endpoints: &[BoundEndpoint],
    link: Option<&HeaderValue>,
    mistakes: &mut Vec<Mistake>,
) -> Vec<Challenge> {
    let all = endpoints.iter();
    let challenges: Vec<Challenge> = all
        .map(|endpoint| Challenge::new(endpoint, link.cloned()))
        .collect();
    for (endpoint, challenge) in endpoints.iter().zip(&challenges) {
        header_length(endpoint, challenge, mistakes);
        for stage in endpoint.to_come() {
            header_length(stage, &Challenge::new(stage, link.cloned()), mistakes);
        }
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
    let mut endpoints = bound.endpoints.iter();
    let endpoint = endpoints.find(|one| one.asks_who_calls())?;
    let chains = chains(&bound.assets);
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
