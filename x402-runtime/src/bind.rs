//! Binds what an author said about an endpoint to what an operator accepts: `EndpointSpec` + paywall → [`BoundEndpoint`].
//!
//! Binding is pure. It finds every mistake of every endpoint before it gives up, and it is the only maker of
//! [`BoundEndpoint`] and [`Terms`].

mod development;
mod origin;
pub(crate) mod plans;
mod prices;
mod rails;
mod routes;
mod terms;

use std::borrow::Cow;
use std::sync::Arc;

use alloy_primitives::Address;
use serde_json::{Map, Value};
use x402_model::asset::{Asset, TransferMethod, parse_address};
use x402_model::endpoint::{EndpointSpec, Method, SpecError, rules};

use x402_model::evm::gas_sponsoring::{
    EIP2612_GAS_SPONSORING, ERC20_APPROVAL_GAS_SPONSORING, declaration,
};
use x402_model::extension::payment_identifier;
use x402_model::money::{AtomicAmount, Decimal, MoneyError};
use x402_model::network::Network;
use x402_model::price::{Ceiling, Price, PriceError, PriceModel};

use crate::credit::sale;
use crate::handler::described::Shapes;
use crate::paywall::{Mistake, PaymentIds, Rail, Tokens};

use self::plans::Sold;

pub(crate) use development::is_main;
pub(crate) use origin::Origin;
pub use terms::Terms;
pub(crate) use terms::{METERED, SCHEME};

/// Longest 402 header in bytes of base64 (discovery 2.4, rule 13).
pub(crate) const MAX_TERMS_HEADER: usize = 12 * 1024;

/// Seconds a buyer needs at least between reading the terms and paying.
const MIN_TIME_TO_PAY_SECONDS: u64 = 5;

/// One endpoint with its networks, tokens, amounts and receiver: all that its 402 and its gate need to know.
#[derive(Debug, Clone)]
pub struct BoundEndpoint {
    spec: EndpointSpec,
    method: Method,
    path: Cow<'static, str>,
    origin: String,
    receiver: Address,
    /// The tokens that pay the unit of its price, best first.
    assets: Vec<Asset>,
    /// What its terms ask for: the price of every call, or of one request, or what a request that decides nothing is told.
    price: Price,
    terms: Vec<Arc<Terms>>,
    /// Where its price is metered: who settles, by network.
    settlers: Vec<(Network, Address)>,
    payment_ids: PaymentIds,
    extensions: Map<String, Value>,
    /// What its handler takes and answers.
    shapes: Shapes,
}

impl BoundEndpoint {
    /// The endpoint's id, unique on its paywall.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.spec.id
    }

    /// The method it answers; `GET` includes `HEAD`.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// The path it is mounted at, in axum's syntax and relative to the paywall's router.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The origin of its resource URLs, without a slash at the end.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What its author said.
    #[must_use]
    pub const fn spec(&self) -> &EndpointSpec {
        &self.spec
    }

    /// The ways to pay, best first. Where the price depends on the request, these ask for what a request that decides nothing
    /// is told.
    #[must_use]
    pub fn terms(&self) -> &[Arc<Terms>] {
        &self.terms
    }

    /// Whether buyers may or must give purchases ids of their own.
    #[must_use]
    pub const fn payment_ids(&self) -> PaymentIds {
        self.payment_ids
    }

    /// The extensions that its 402 advertises, by key.
    #[must_use]
    pub const fn extensions(&self) -> &Map<String, Value> {
        &self.extensions
    }

    /// The text that tells buyers what the endpoint sells.
    #[must_use]
    pub const fn description(&self) -> &'static str {
        if self.spec.description.is_empty() {
            self.spec.summary
        } else {
            self.spec.description
        }
    }

    /// The schemas of what its handler takes and answers.
    pub(crate) const fn shapes(&self) -> &Shapes {
        &self.shapes
    }

    /// Notes the schemas of what its handler takes and answers.
    pub(crate) fn describe(&mut self, shapes: Shapes) {
        self.shapes = shapes;
    }

    /// What the terms ask for.
    pub(crate) const fn price(&self) -> &Price {
        &self.price
    }

    /// Whether what the terms ask for depends on the request.
    pub(crate) fn is_priced_by_request(&self) -> bool {
        match &self.spec.price {
            PriceModel::Flat { .. } => false,
            // Where one quantity cannot be foreseen, every buyer signs up to the ceiling.
            PriceModel::Usage { units, .. } => units.iter().all(|unit| unit.estimate.is_some()),
            _ => true,
        }
    }

    /// Whether buyers sign up to a ceiling and pay what was metered.
    pub(crate) const fn is_metered(&self) -> bool {
        matches!(self.spec.price, PriceModel::Usage { .. })
    }

    /// The tokens in which it may be paid.
    pub(crate) fn assets(&self) -> &[Asset] {
        &self.assets
    }

    /// The same endpoint at a price in the unit of its own, for one request.
    ///
    /// # Errors
    /// When the price is zero in a token or no whole number of its units.
    pub(crate) fn at(&self, price: Price) -> Result<Self, MoneyError> {
        let mut terms = Vec::with_capacity(self.assets.len());
        for asset in &self.assets {
            let amount = asset.to_atomic(price.amount)?;
            terms.extend(self.terms_of(asset, amount));
        }
        let amount = price.amount.normalized();
        Ok(Self {
            price: Price { amount, ..price },
            ..self.with_terms(terms)
        })
    }

    /// The same endpoint with the ceiling of one request, which each token rounds up to its own smallest unit.
    ///
    /// # Errors
    /// When a token cannot express the ceiling of the price.
    pub(crate) fn up_to(&self, ceiling: &Ceiling) -> Result<Self, PriceError> {
        let mut terms = Vec::with_capacity(self.assets.len());
        for asset in &self.assets {
            terms.extend(self.terms_of(asset, ceiling.on(asset.decimals)?));
        }
        Ok(self.with_terms(terms))
    }

    fn terms_of(&self, asset: &Asset, amount: AtomicAmount) -> Option<Terms> {
        let (asset, timeout) = (asset.clone(), self.spec.timeout_seconds);
        if !self.is_metered() {
            return Terms::new(asset, amount, self.receiver, timeout);
        }
        let settler = self.settlers.iter().find(|(on, _)| *on == asset.network);
        let (_, settler) = settler?;
        Terms::metered(asset, amount, self.receiver, timeout, *settler)
    }

    /// Says who settles metered payments. Until then an endpoint with a metered price has no terms.
    pub(crate) fn settle_by(&mut self, settlers: &[(Network, Address)]) {
        if self.is_metered() {
            settlers.clone_into(&mut self.settlers);
            if let Ok(endpoint) = self.at(self.price.clone()) {
                *self = endpoint;
            }
        }
    }

    /// The same endpoint with other terms.
    pub(crate) fn with_terms(&self, terms: impl IntoIterator<Item = Terms>) -> Self {
        Self {
            terms: terms.into_iter().map(Arc::new).collect(),
            ..self.clone()
        }
    }

    /// Declares one more extension in its 402.
    pub(crate) fn advertise(&mut self, key: &str, declared: Value) {
        self.extensions.insert(key.to_owned(), declared);
    }

    /// The same endpoint with one more member of `extra` in each of its terms.
    pub(crate) fn marked(&self, name: &str, value: &Value) -> Self {
        let marked = |terms: &Arc<Terms>| terms.with_extra(name, value.clone());
        self.with_terms(self.terms.iter().map(marked))
    }

    /// Advertises the ways in which the facilitator pays for the approval of Permit2, of those that its tokens have.
    pub(crate) fn sponsor(&mut self, extensions: &[String]) {
        let tokens = || {
            let permit2 =
                |asset: &&Asset| self.is_metered() || asset.transfer == TransferMethod::Permit2;
            self.assets.iter().filter(permit2)
        };
        for (key, useful) in [
            (EIP2612_GAS_SPONSORING, tokens().any(|asset| asset.eip2612)),
            (
                ERC20_APPROVAL_GAS_SPONSORING,
                tokens().any(|asset| !asset.eip2612),
            ),
        ] {
            if useful
                && extensions.iter().any(|known| known == key)
                && let Some(declared) = declaration(key)
            {
                self.extensions.insert(key.to_owned(), declared);
            }
        }
    }

    /// The `accepts` list as JSON text, as it stands in the 402.
    #[must_use]
    pub(crate) fn accepts_json(&self) -> String {
        let entries: Vec<&str> = self
            .terms
            .iter()
            .map(|terms| terms.offered().raw().get())
            .collect();
        format!("[{}]", entries.join(","))
    }
}

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
        let (method, path) = routes::place(mounted)?;
        let receiver = receiver?;
        development::check_receiver(spec.id, receiver, &prices, mistakes);
        let assets = prices.iter().map(|(asset, _)| asset.clone()).collect();
        let payment_ids = spec.payment_ids.unwrap_or(self.given.payment_ids);
        let mut endpoint = BoundEndpoint {
            receiver,
            assets,
            price: prices::shown(spec),
            spec: spec.clone(),
            method,
            path,
            origin: self.origin.to_owned(),
            terms: Vec::new(),
            settlers: Vec::new(),
            payment_ids,
            extensions: extensions(payment_ids),
            shapes: Shapes::default(),
        };
        let terms = prices
            .iter()
            .filter_map(|(asset, amount)| endpoint.terms_of(asset, *amount))
            .map(Arc::new);
        endpoint.terms = terms.collect();
        Some(endpoint)
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
