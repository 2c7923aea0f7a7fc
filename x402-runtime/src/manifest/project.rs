//! Service, endpoints and schemas become one manifest. Pure: the same facts give the same document.

use std::collections::BTreeMap;

use serde_json::Value;
use x402_model::asset::{Asset, checksum};
use x402_model::endpoint::operation_id;
use x402_model::manifest::{
    Amount, AssetEntry, ChargeEntry, CreditEntry, Defaults, DomainEntry, ErrorEntry,
    FORMAT_VERSION, Idempotency, Manifest, Period, PlanEntry, ProtocolEntry, RailEntry,
};
use x402_model::money::Decimal;
use x402_model::price::{Plan, PlanKind};
use x402_model::problem::{Action, ProblemCode};

use super::Service;
use super::currency;
use super::discovery::Discovery;
use super::entry::{Common, idempotency};
use crate::bind::{BoundEndpoint, Terms};
use crate::paywall::PaymentIds;

/// What a manifest is made of.
pub(crate) struct Facts<'f> {
    pub(crate) service: &'f Service,
    pub(crate) origin: &'f str,
    pub(crate) endpoints: &'f [BoundEndpoint],
    /// Schemas of types with a name.
    pub(crate) named: BTreeMap<String, Value>,
    pub(crate) payment_ids: PaymentIds,
    pub(crate) body_cap: usize,
    pub(crate) retention_seconds: u64,
    pub(crate) started_ms: u64,
    pub(crate) discovery: Discovery,
}

/// The manifest of these facts.
///
/// # Errors
/// When a price cannot be written as JSON.
pub(crate) fn project(facts: Facts<'_>) -> Result<Manifest, serde_json::Error> {
    let Facts {
        service,
        endpoints,
        mut named,
        retention_seconds,
        ..
    } = facts;
    let (currency, endpoints) = currency::of(endpoints);
    let endpoints = endpoints.as_slice();
    let changed = endpoints.iter().map(BoundEndpoint::since).max();
    let changed = changed.unwrap_or_default();
    let (assets, rails) = rails(endpoints);
    let keys = |endpoint: &BoundEndpoint| -> Vec<String> {
        let terms = endpoint.terms().iter();
        terms.map(|terms| rail_key(endpoint, terms)).collect()
    };
    let usual_rails = usual(endpoints, &keys);
    let usual_idempotency = idempotency(facts.payment_ids, retention_seconds);
    let mut common = Common {
        named: &mut named,
        body_cap: facts.body_cap,
        rails: &keys,
        usual_rails: &usual_rails,
        usual_idempotency: &usual_idempotency,
        retention_seconds,
    };
    let entries = endpoints
        .iter()
        .map(|endpoint| common.entry(endpoint))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Manifest {
        schema: None,
        manifest_version: FORMAT_VERSION.to_owned(),
        service: service.entry(facts.origin, facts.started_ms, changed),
        links: links(service, facts.discovery),
        protocols: vec![ProtocolEntry {
            id: "x402".to_owned(),
            versions: vec![2, 1],
        }],
        currency: currency.to_owned(),
        assets,
        rails,
        defaults: defaults(usual_rails, usual_idempotency),
        errors: ProblemCode::ALL
            .iter()
            .map(|code| (code.as_str().to_owned(), error(*code)))
            .collect(),
        schemas: named,
        endpoints: entries,
        plans: plans(endpoints, currency),
        deprecations: Vec::new(),
        integrity: None,
    })
}

/// What holds where an endpoint says nothing else.
fn defaults(rails: Vec<String>, idempotency: Idempotency) -> Defaults {
    let errors = ProblemCode::ALL.iter();
    Defaults {
        rails,
        charge: Some(charge()),
        idempotency: Some(idempotency),
        errors: errors.map(|code| code.as_str().to_owned()).collect(),
        ..Defaults::default()
    }
}

/// What the service links to, and what is served beside the manifest, which wins.
fn links(service: &Service, discovery: Discovery) -> BTreeMap<String, String> {
    let others = service.links().iter();
    let others = others.map(|(name, url)| (name.clone(), url.clone()));
    let own = discovery.links();
    let own = own.map(|(name, path)| (name.to_owned(), path.to_owned()));
    others.chain(own).collect()
}

/// When money moves: after a success, which is any answer below 400.
fn charge() -> ChargeEntry {
    ChargeEntry {
        when: "after-success".to_owned(),
        on: ["2xx", "3xx"].map(str::to_owned).to_vec(),
        on_timeout: Some("not-charged".to_owned()),
        payment_before_validation: Some(true),
    }
}

fn error(code: ProblemCode) -> ErrorEntry {
    let retryable = matches!(
        code.action(),
        Action::Pay | Action::Wait | Action::RetrySamePayment
    );
    ErrorEntry {
        status: code.http_status(),
        retryable,
        charged: code.charged(),
        action: code.action().as_str().to_owned(),
        retry_after_header: code.retry_after().map(|_| "Retry-After".to_owned()),
        description: Some(code.detail().to_owned()),
    }
}

/// What is accepted by most endpoints, so that it need not be said by each of them.
fn usual(endpoints: &[BoundEndpoint], keys: &dyn Fn(&BoundEndpoint) -> Vec<String>) -> Vec<String> {
    let mut counts: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    for endpoint in endpoints {
        *counts.entry(keys(endpoint)).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map(|(keys, _)| keys).unwrap_or_default()
}

/// A token as terms use it: how it moves is part of what it is.
fn asset_key(terms: &Terms) -> String {
    let asset = terms.asset();
    let network = network_name(asset);
    let token = asset.symbol.to_ascii_lowercase().replace(['.', ' '], "-");
    let method = match terms.kind().method().as_str() {
        "eip3009" => String::new(),
        other => format!("-{other}"),
    };
    format!("{token}-{network}{method}")
}

fn network_name(asset: &Asset) -> String {
    let name = asset.network.name().map(str::to_owned);
    name.unwrap_or_else(|| asset.network.to_string().replace(':', "-"))
}

/// One way to pay: token, scheme, receiver and time.
fn rail_key(endpoint: &BoundEndpoint, terms: &Terms) -> String {
    let spec = endpoint.spec();
    let receiver = spec.pay_to.map_or_else(String::new, |_| {
        let short = checksum(terms.pay_to()).to_ascii_lowercase();
        format!("-{}", short.get(2..10).unwrap_or_default())
    });
    format!(
        "{}-{}-{}s{receiver}",
        asset_key(terms),
        terms.kind().scheme(),
        terms.max_timeout_seconds()
    )
}

fn rails(
    endpoints: &[BoundEndpoint],
) -> (BTreeMap<String, AssetEntry>, BTreeMap<String, RailEntry>) {
    let (mut assets, mut rails) = (BTreeMap::new(), BTreeMap::new());
    for endpoint in endpoints {
        for terms in endpoint.terms() {
            let key = asset_key(terms);
            let asset = terms.asset();
            rails.insert(
                rail_key(endpoint, terms),
                RailEntry {
                    scheme: terms.kind().scheme().to_owned(),
                    asset: key.clone(),
                    pay_to: checksum(terms.pay_to()),
                    max_timeout_seconds: terms.max_timeout_seconds(),
                },
            );
            assets.entry(key).or_insert_with(|| AssetEntry {
                network: asset.network.to_string(),
                address: checksum(asset.address),
                symbol: asset.symbol.to_string(),
                decimals: asset.decimals,
                transfer: terms.kind().method().as_str().to_owned(),
                eip712: asset.signing_domain().map(|domain| DomainEntry {
                    name: domain.name.to_string(),
                    version: domain.version.to_string(),
                }),
                usd_peg: asset.usd_pegged.then_some(Amount(Decimal::ONE)),
            });
        }
    }
    (assets, rails)
}

/// The plans of all endpoints, each once, with the endpoints that it pays for.
fn plans(endpoints: &[BoundEndpoint], currency: &str) -> Vec<PlanEntry> {
    let mut plans: Vec<PlanEntry> = Vec::new();
    for endpoint in endpoints {
        for plan in endpoint.spec().plans {
            let id = operation_id(endpoint.id());
            match plans.iter_mut().find(|known| known.id == *plan.id) {
                Some(known) => known.endpoints.push(id),
                None => plans.push(plan_entry(plan, &id, currency)),
            }
        }
    }
    plans
}

fn plan_entry(plan: &Plan, endpoint: &str, currency: &str) -> PlanEntry {
    let period = |seconds: u64| Period { seconds };
    let purchase = [
        ("method", plan.purchase.method.to_string()),
        ("path", plan.purchase.path.to_owned()),
    ];
    let present = [("header", plan.present_header.to_string())];
    let map = |members: &[(&str, String)]| {
        let members = members.iter();
        members
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect()
    };
    let entry = |kind: &str, amount: Decimal| PlanEntry {
        id: plan.id.to_string(),
        kind: kind.to_owned(),
        amount: Amount(amount.normalized()),
        credits: None,
        expires: None,
        period: None,
        includes: None,
        endpoints: vec![endpoint.to_owned()],
        purchase: map(&purchase),
        present: map(&present),
    };
    match &plan.kind {
        PlanKind::Prepaid {
            amount,
            credit,
            expires_seconds,
        } => PlanEntry {
            credits: Some(CreditEntry {
                currency: currency.to_owned(),
                value: Amount(credit.amount.normalized()),
            }),
            expires: expires_seconds.map(period),
            ..entry("prepaid", amount.amount)
        },
        PlanKind::Subscription {
            amount,
            period_seconds,
            includes_calls,
        } => PlanEntry {
            period: Some(period(*period_seconds)),
            includes: includes_calls.map(|calls| serde_json::json!({ "calls": calls })),
            ..entry("subscription", amount.amount)
        },
    }
}
