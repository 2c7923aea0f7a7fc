//! An endpoint that is bound: what its 402 and its gate need to know, and the same at the price of one request.

use std::borrow::Cow;
use std::sync::Arc;

use alloy_primitives::Address;
use serde_json::{Map, Value};
use x402_model::asset::{Asset, TransferMethod};
use x402_model::endpoint::rules::DEFAULT_MIME_TYPE;
use x402_model::endpoint::{EndpointSpec, Method};
use x402_model::evm::gas_sponsoring::{
    EIP2612_GAS_SPONSORING, ERC20_APPROVAL_GAS_SPONSORING, declaration,
};
use x402_model::money::{AtomicAmount, MoneyError};
use x402_model::network::Network;
use x402_model::price::{Ceiling, Price, PriceError, PriceModel};

use super::{Shown, Terms};
use crate::handler::described::Shapes;
use crate::paywall::PaymentIds;

/// One endpoint with its networks, tokens, amounts and receiver: all that its 402 and its gate need to know.
#[derive(Debug, Clone)]
pub struct BoundEndpoint {
    pub(super) spec: EndpointSpec,
    pub(super) method: Method,
    pub(super) path: Cow<'static, str>,
    pub(super) origin: String,
    pub(super) receiver: Address,
    /// The tokens that pay the unit of its price, best first.
    pub(super) assets: Vec<Asset>,
    /// What its terms ask for: the price of every call, or of one request, or what a request that decides nothing is told.
    pub(super) price: Price,
    pub(super) terms: Vec<Arc<Terms>>,
    /// Where its price is metered: who settles, by network.
    pub(super) settlers: Vec<(Network, Address)>,
    pub(super) payment_ids: PaymentIds,
    pub(super) extensions: Map<String, Value>,
    /// What its 402 says of the service that it belongs to.
    pub(super) shown: Arc<Shown>,
    /// What its handler takes and answers.
    pub(super) shapes: Shapes,
    /// From when on its price holds, Unix seconds; 0 for the first one.
    pub(super) since: u64,
    /// The same endpoint at each of its prices, in the order of time, if its price changes.
    pub(super) stages: Option<Arc<Vec<Self>>>,
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

    /// The media type of its answer: the one that its author said, or else the one that its handler's type tells.
    #[must_use]
    pub fn mime_type(&self) -> &'static str {
        let said = self.spec.mime_type;
        let told = self.shapes.answer.as_ref().map(|(told, _)| *told);
        told.filter(|_| said == DEFAULT_MIME_TYPE).unwrap_or(said)
    }

    /// What its 402 says of the service that it belongs to.
    pub(crate) fn shown(&self) -> &Shown {
        &self.shown
    }

    /// Its search words; those of the service if it has none of its own.
    pub(crate) fn tags(&self) -> Vec<&str> {
        let own = self.spec.tags;
        if own.is_empty() {
            return self.shown.tags.iter().map(String::as_str).collect();
        }
        own.to_vec()
    }

    /// Leaves the picture out of its 402.
    pub(crate) fn hide_icon(&mut self) {
        let shown = Shown {
            icon: None,
            ..Shown::clone(&self.shown)
        };
        let shown = Arc::new(shown);
        self.each(|endpoint| endpoint.shown = Arc::clone(&shown));
    }

    /// The schemas of what its handler takes and answers.
    pub(crate) const fn shapes(&self) -> &Shapes {
        &self.shapes
    }

    /// Notes the schemas of what its handler takes and answers.
    pub(crate) fn describe(&mut self, shapes: &Shapes) {
        self.each(|endpoint| endpoint.shapes = shapes.clone());
    }

    /// From when on its price holds, Unix seconds; 0 for the first one.
    pub(crate) const fn since(&self) -> u64 {
        self.since
    }

    /// The same endpoint at each of its prices, in the order of time; empty if its price does not change.
    pub(crate) fn stages(&self) -> &[Self] {
        self.stages.as_ref().map_or(&[], |stages| stages.as_slice())
    }

    /// Those of its prices that do not hold yet.
    pub(crate) fn to_come(&self) -> impl Iterator<Item = &Self> {
        let stages = self.stages().iter();
        stages.filter(|stage| stage.since > self.since)
    }

    /// The same endpoint at the price that holds at a time.
    pub(crate) fn when(&self, now_seconds: u64) -> Self {
        let mut latest = self.stages().iter().rev();
        let Some(stage) = latest.find(|stage| stage.since <= now_seconds) else {
            return self.clone();
        };
        Self {
            stages: self.stages.clone(),
            ..stage.clone()
        }
    }

    /// Changes it at all of its prices.
    fn each(&mut self, change: impl Fn(&mut Self)) {
        change(self);
        if let Some(stages) = &mut self.stages {
            Arc::make_mut(stages).iter_mut().for_each(change);
        }
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

    /// Whether what the terms ask for depends on the request, at any of its prices.
    pub(crate) fn is_ever_priced_by_request(&self) -> bool {
        self.is_priced_by_request() || self.stages().iter().any(Self::is_priced_by_request)
    }

    /// Whether the price depends on what a payer bought before, now or at a later price.
    pub(crate) fn looks_back(&self) -> bool {
        let mut all = std::iter::once(self).chain(self.stages());
        all.any(|stage| stage.spec.price.needs().volume)
    }

    /// Whether its terms ask for a sign-in as well, because that may save the payment.
    pub(crate) fn asks_who_calls(&self) -> bool {
        let spec = &self.spec;
        !spec.allowances.is_empty() || !spec.plans.is_empty() || self.looks_back()
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
        // In words it is what the first token is asked for.
        let shown = terms.first().and_then(|terms: &Terms| {
            let text = terms.amount().to_decimal(terms.asset().decimals);
            text.parse().ok()
        });
        let amount = shown.unwrap_or(self.price.amount);
        Ok(Self {
            price: Price {
                amount,
                ..self.price.clone()
            },
            ..self.with_terms(terms)
        })
    }

    pub(super) fn terms_of(&self, asset: &Asset, amount: AtomicAmount) -> Option<Terms> {
        let (asset, timeout) = (asset.clone(), self.spec.timeout_seconds);
        if !self.is_metered() {
            return Terms::new(asset, amount, self.receiver, timeout);
        }
        let settler = self.settlers.iter().find(|(on, _)| *on == asset.network);
        let (_, settler) = settler?;
        let terms = Terms::metered(asset, amount, self.receiver, timeout, *settler)?;
        // The ceiling does not say what a unit costs, so these terms say by which prices they are metered.
        Some(match self.since {
            0 => terms,
            since => terms.with_extra(Terms::SINCE, since),
        })
    }

    /// Says who settles metered payments. Until then an endpoint with a metered price has no terms.
    pub(crate) fn settle_by(&mut self, settlers: &[(Network, Address)]) {
        self.each(|endpoint| {
            if endpoint.is_metered() {
                settlers.clone_into(&mut endpoint.settlers);
                if let Ok(settled) = endpoint.at(endpoint.price.clone()) {
                    *endpoint = settled;
                }
            }
        });
    }

    /// The same endpoint with other terms.
    pub(crate) fn with_terms(&self, terms: impl IntoIterator<Item = Terms>) -> Self {
        Self {
            terms: terms.into_iter().map(Arc::new).collect(),
            ..self.clone()
        }
    }

    /// Declares one more extension in its 402.
    pub(crate) fn advertise(&mut self, key: &str, declared: &Value) {
        self.each(|endpoint| {
            endpoint.extensions.insert(key.to_owned(), declared.clone());
        });
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
                self.advertise(key, &declared);
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
