//! Binds what an author said about an endpoint to what an operator accepts: `EndpointSpec` + paywall → [`BoundEndpoint`].
//!
//! Binding is pure. It finds every mistake of every endpoint before it gives up, and it is the only maker of
//! [`BoundEndpoint`] and [`Terms`].

mod development;
mod endpoint;
mod lifecycle;
mod origin;
pub(crate) mod plans;
mod prices;
mod rails;
mod routes;
mod shown;
mod successor;
mod terms;

use std::borrow::Cow;
use std::sync::Arc;

use alloy_primitives::Address;
use serde_json::{Map, Value};
use x402_model::asset::{Asset, parse_address};
use x402_model::endpoint::{EndpointSpec, Method, SpecError, rules};
use x402_model::extension::payment_identifier;
use x402_model::money::{AtomicAmount, Decimal};
use x402_model::network::Network;

use crate::credit::sale;
use crate::handler::described::Shapes;
use crate::paywall::{Mistake, PaymentIds, Rail, Tokens};

use self::plans::Sold;

pub(crate) use development::is_main;
pub use endpoint::BoundEndpoint;
pub(crate) use origin::Origin;
pub(crate) use shown::Shown;
pub(crate) use successor::Successor;
pub use terms::Terms;
pub(crate) use terms::{METERED, SCHEME};

/// Longest 402 header in bytes of base64 (discovery 2.4, rule 13).
pub(crate) const MAX_TERMS_HEADER: usize = 12 * 1024;

/// Seconds a buyer needs at least between reading the terms and paying.
const MIN_TIME_TO_PAY_SECONDS: u64 = 5;

/// One endpoint as mounted: its facts, and where the mounting puts it.
#[derive(Debug, Clone)]
pub(crate) struct Mounted {
    pub(crate) spec: EndpointSpec,
    /// Method and path given at mounting; they win over the spec's.
    pub(crate) at: Option<(Method, Cow<'static, str>)>,
}

/// What the operator gave.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given {
    pub(crate) origin: Option<String>,
    pub(crate) pay_to: Option<String>,
    pub(crate) rails: Vec<Rail>,
    /// What the chain says about the tokens of the rails.
    pub(crate) tokens: Tokens,
    /// What networks' coins are worth, in US dollars.
    pub(crate) native_prices: Vec<(Network, Decimal)>,
    pub(crate) payment_ids: PaymentIds,
    /// Validity a payment must have left on arrival, in seconds.
    pub(crate) min_remaining_seconds: u64,
    /// What was said of the service as a whole.
    pub(crate) shown: Arc<Shown>,
}

/// The result of binding: the endpoints and the accepted tokens. Only meaningful if there were no mistakes.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) endpoints: Vec<BoundEndpoint>,
    pub(crate) assets: Vec<Asset>,
}

/// Binds all endpoints, noting every mistake.
/// Plans are bound like endpoints, and come after them.
pub(crate) fn bind(
    mounted: &[Mounted],
    plans: &[Sold],
    given: &Given,
    mistakes: &mut Vec<Mistake>,
) -> Bound {
    let origin = origin(given, mistakes);
    let assets = rails::resolve(&given.rails, &given.tokens, mistakes);
    let pay_to = pay_to(given.pay_to.as_deref(), "the paywall", mistakes);
    if mounted.is_empty() {
        mistakes.push(Mistake::NothingMounted);
    }
    routes::check(mounted, mistakes);
    let context = Context {
        origin: &origin,
        assets: &assets,
        pay_to,
        given,
    };
    plans::check(mounted, plans, mistakes);
    mistakes.extend(lifecycle::check(mounted).map(Mistake::from));
    let mut endpoints: Vec<BoundEndpoint> = mounted
        .iter()
        .filter_map(|one| context.endpoint(one, mistakes))
        .collect();
    plans::advertise(&mut endpoints);
    for sold in plans {
        let endpoint = context.endpoint(&sold.mounted, mistakes);
        endpoints.extend(endpoint.map(|endpoint| endpoint.marked(sale::MARK, &sold.told())));
    }
    Bound { endpoints, assets }
}

fn origin(given: &Given, mistakes: &mut Vec<Mistake>) -> String {
    match given.origin.as_deref().map(Origin::parse) {
        None => mistakes.push(Mistake::OriginMissing),
        Some(Err(mistake)) => mistakes.push(mistake),
        Some(Ok(origin)) => return origin.into_string(),
    }
    String::new()
}

/// A receiver, if one was given at all.
enum Receiver {
    Absent,
    /// Given and refused; the mistake is noted already.
    Wrong,
    Is(Address),
}

fn pay_to(text: Option<&str>, whose: &str, mistakes: &mut Vec<Mistake>) -> Receiver {
    let Some(text) = text else {
        return Receiver::Absent;
    };
    match parse_address(text) {
        Ok(address) if address.is_zero() => mistakes.push(Mistake::PayToZero {
            whose: whose.to_owned(),
        }),
        Ok(address) => return Receiver::Is(address),
        Err(error) => {
            mistakes.push(Mistake::PayToInvalid {
                whose: whose.to_owned(),
                reason: error.to_string(),
            });
        }
    }
    Receiver::Wrong
}

struct Context<'a> {
    origin: &'a str,
    assets: &'a [Asset],
    pay_to: Receiver,
    given: &'a Given,
}

impl Context<'_> {
    fn endpoint(&self, mounted: &Mounted, mistakes: &mut Vec<Mistake>) -> Option<BoundEndpoint> {
        let spec = &mounted.spec;
        texts(spec, mistakes);
        self.timeout(spec, mistakes);
        let receiver = self.receiver(spec, mistakes);
        let assets = rails::of_endpoint(spec, &self.given.rails, self.assets, mistakes);
        let prices = prices::on(spec, &assets, self.assets, mistakes);
        let later = lifecycle::later(spec);
        let later: Vec<_> = later
            .map(|(since, spec)| {
                let prices = prices::on(&spec, &assets, self.assets, mistakes);
                (since, spec, prices)
            })
            .collect();
        let place = routes::place(mounted)?;
        let receiver = receiver?;
        development::check_receiver(spec.id, receiver, &prices, mistakes);
        let at = |since, spec: EndpointSpec, prices: &[(Asset, AtomicAmount)]| {
            self.at_price(spec, place.clone(), receiver, since, prices)
        };
        let mut endpoint = at(0, spec.clone(), &prices);
        if !later.is_empty() {
            let mut stages = vec![endpoint.clone()];
            let later = later.into_iter();
            stages.extend(later.map(|(since, spec, prices)| at(since, spec, &prices)));
            endpoint.stages = Some(Arc::new(stages));
        }
        Some(endpoint)
    }

    /// An endpoint at one of its prices.
    fn at_price(
        &self,
        spec: EndpointSpec,
        (method, path): (Method, Cow<'static, str>),
        receiver: Address,
        since: u64,
        prices: &[(Asset, AtomicAmount)],
    ) -> BoundEndpoint {
        let payment_ids = spec.payment_ids.unwrap_or(self.given.payment_ids);
        let mut endpoint = BoundEndpoint {
            receiver,
            assets: prices.iter().map(|(asset, _)| asset.clone()).collect(),
            price: prices::shown(&spec),
            spec,
            method,
            path,
            origin: self.origin.to_owned(),
            terms: Vec::new(),
            settlers: Vec::new(),
            payment_ids,
            extensions: extensions(payment_ids),
            shown: Arc::clone(&self.given.shown),
            shapes: Shapes::default(),
            since,
            stages: None,
        };
        let terms = prices
            .iter()
            .filter_map(|(asset, amount)| endpoint.terms_of(asset, *amount))
            .map(Arc::new);
        endpoint.terms = terms.collect();
        endpoint
    }

    fn receiver(&self, spec: &EndpointSpec, mistakes: &mut Vec<Mistake>) -> Option<Address> {
        let whose = format!("`{}`", spec.id);
        match pay_to(spec.pay_to, &whose, mistakes) {
            Receiver::Is(address) => Some(address),
            Receiver::Wrong => None,
            Receiver::Absent => match self.pay_to {
                Receiver::Is(address) => Some(address),
                Receiver::Wrong => None,
                Receiver::Absent => {
                    mistakes.push(Mistake::PayToMissing { whose });
                    None
                }
            },
        }
    }

    fn timeout(&self, spec: &EndpointSpec, mistakes: &mut Vec<Mistake>) {
        let min = self
            .given
            .min_remaining_seconds
            .saturating_add(MIN_TIME_TO_PAY_SECONDS)
            .max(rules::MIN_TIMEOUT_SECONDS);
        let max = rules::MAX_TIMEOUT_SECONDS;
        if spec.timeout_seconds < min || spec.timeout_seconds > max {
            let endpoint = spec.id.to_owned();
            mistakes.push(Mistake::Timeout {
                endpoint,
                seconds: spec.timeout_seconds,
                min,
                max,
            });
        }
    }
}

/// What the 402 of an endpoint advertises.
fn extensions(ids: PaymentIds) -> Map<String, Value> {
    let mut all = Map::new();
    if ids != PaymentIds::Off {
        let required = ids == PaymentIds::Required;
        let declared = payment_identifier::declare(required);
        all.insert(payment_identifier::KEY.to_owned(), declared);
    }
    all
}

/// The rules that the macro checked already, for specs that no macro made.
fn texts(spec: &EndpointSpec, mistakes: &mut Vec<Mistake>) {
    let endpoint = || spec.id.to_owned();
    for error in spec.check() {
        match error {
            // Said with more context by the passes below.
            SpecError::Route(_)
            | SpecError::Text {
                field: "timeout_seconds" | "pay_to" | "rails",
                ..
            } => {}
            SpecError::Price(error) => {
                mistakes.push(Mistake::PriceInvalid {
                    endpoint: endpoint(),
                    reason: error.to_string(),
                });
            }
            other => mistakes.push(Mistake::TextInvalid {
                endpoint: endpoint(),
                reason: other.to_string(),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
