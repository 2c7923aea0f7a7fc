//! What the author of a paid handler said, as constant data that `#[paid]` emits.
//!
//! An [`EndpointSpec`] knows no networks, tokens or origins yet: those come from the paywall it is mounted on. The rules
//! its texts must keep are in [`rules`], used by the macro (with places in the source) and again at start-up.

mod host;
mod ids;
mod lifecycle;
mod operation;
mod path;
pub mod rules;

use core::fmt;

use crate::price::{Allowance, OfferError, Plan, PriceError, PriceModel, PriceModelError};

pub use host::{is_host, is_named_host, is_origin};
pub use ids::PaymentIds;
pub use lifecycle::{
    DeprecationSpec, Lifecycle, LifecycleError, MAX_REASON_CHARS, MAX_SCHEDULED,
    MIN_BETWEEN_PRICES, MIN_PRICE_DAYS, MIN_SUNSET_DAYS, ScheduledPrice, check_replacement,
    class_of_change, follows, read_instant,
};
pub use operation::operation_id;
pub use path::{RouteError, RouteErrorCode};
pub use rules::{Rule, RuleError};

/// HTTP methods a paid endpoint may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// `GET`; also answers `HEAD`.
    Get,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
    /// `PATCH`.
    Patch,
    /// `DELETE`.
    Delete,
}

impl Method {
    /// Every method, in the order of declaration.
    pub const ALL: &[Self] = &[Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete];

    /// The method on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// The method with this name on the wire; names are compared exactly.
    ///
    /// ```
    /// # use x402_model::endpoint::Method;
    /// assert_eq!(Method::from_name("GET"), Some(Method::Get));
    /// assert_eq!(Method::from_name("get"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|method| method.as_str() == name)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where an endpoint is mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RouteSpec {
    /// HTTP method.
    pub method: Method,
    /// Path in axum 0.8 syntax: `/weather/{city}`.
    pub path: &'static str,
}

impl fmt::Display for RouteSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// Everything the author said about one paid handler.
///
/// ```
/// use x402_model::endpoint::{EndpointSpec, Lifecycle, Method, RouteSpec, rules};
/// use x402_model::money::Decimal;
/// use x402_model::price::{Price, PriceModel, PriceUnit};
///
/// const WEATHER: EndpointSpec = EndpointSpec {
///     id: "weather",
///     route: Some(RouteSpec { method: Method::Get, path: "/weather/{city}" }),
///     price: PriceModel::Flat { amount: Price { amount: Decimal::new(1, 2), unit: PriceUnit::Usd } },
///     probe: None,
///     allowances: &[],
///     plans: &[],
///     summary: "Weather of a city",
///     description: "",
///     tags: &["weather"],
///     mime_type: rules::DEFAULT_MIME_TYPE,
///     timeout_seconds: rules::DEFAULT_TIMEOUT_SECONDS,
///     pay_to: None,
///     rails: &["base:USDC"],
///     payment_ids: None,
///     lifecycle: Lifecycle::NONE,
/// };
/// assert!(WEATHER.check().is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointSpec {
    /// Name of the endpoint, unique on its paywall.
    pub id: &'static str,
    /// Where it is mounted, unless the mounting says so.
    pub route: Option<RouteSpec>,
    /// How it charges.
    pub price: PriceModel,
    /// The example request whose price a bare request is offered, as JSON
    /// (see [`Facts::of_example`](crate::price::Facts::of_example)).
    pub probe: Option<&'static str>,
    /// Calls that are answered without payment while they last.
    pub allowances: &'static [Allowance],
    /// Ways to pay for many calls at once.
    pub plans: &'static [Plan],
    /// One line for lists, at most [`rules::MAX_SUMMARY_CHARS`]; may be empty.
    pub summary: &'static str,
    /// A paragraph for buyers, at most [`rules::MAX_DESCRIPTION_CHARS`]; may be empty.
    pub description: &'static str,
    /// Search words, at most [`rules::MAX_TAGS`].
    pub tags: &'static [&'static str],
    /// Media type of the answer.
    pub mime_type: &'static str,
    /// `maxTimeoutSeconds` of the payment terms: how long a signed payment stays valid.
    pub timeout_seconds: u64,
    /// Receiving address, unless the paywall's is right.
    pub pay_to: Option<&'static str>,
    /// Accepted `network:SYMBOL` rails; empty for all that the paywall accepts.
    pub rails: &'static [&'static str],
    /// Whether buyers may or must give purchases ids of their own, unless the paywall's setting is right.
    pub payment_ids: Option<PaymentIds>,
    /// What will change about it.
    pub lifecycle: Lifecycle,
}

impl EndpointSpec {
    /// Checks every rule and returns all that are broken, for data that no macro has checked.
    #[must_use]
    pub fn check(&self) -> Vec<SpecError> {
        let mut errors = Vec::new();
        let mut keep = |field: &'static str, outcome: Result<(), RuleError>| {
            errors.extend(outcome.err().map(|error| SpecError::Text { field, error }));
        };
        keep("id", rules::check_id(self.id));
        keep("summary", rules::check_summary(self.summary));
        keep("description", rules::check_description(self.description));
        keep("tags", rules::check_tags(self.tags));
        keep("mime_type", rules::check_mime_type(self.mime_type));
        keep(
            "timeout_seconds",
            rules::check_timeout(self.timeout_seconds),
        );
        if let Some(pay_to) = self.pay_to {
            keep("pay_to", rules::check_pay_to(pay_to));
        }
        for rail in self.rails {
            keep("rails", rules::check_rail(rail));
        }
        if let Some(Err(error)) = self.route.map(|route| rules::check_path(route.path)) {
            errors.push(SpecError::Route(error));
        }
        match self.price.check() {
            Err(error) => errors.push(SpecError::Price(error)),
            Ok(()) => errors.extend(
                self.price
                    .probe_price(self.probe)
                    .err()
                    .map(|error| SpecError::Probe(Box::new(error))),
            ),
        }
        let later = self.lifecycle.scheduled.iter();
        let later = later.filter_map(|next| next.price.probe_price(self.probe).err());
        errors.extend(later.map(|error| SpecError::Probe(Box::new(error))));
        let unit = self.price.bounds().max.unit;
        let allowances = self.allowances.iter().map(Allowance::check);
        let plans = self.plans.iter().map(|plan| plan.check(&unit));
        let offers = allowances.chain(plans).filter_map(Result::err);
        errors.extend(offers.map(SpecError::Offer));
        errors.extend(
            self.lifecycle
                .check(&self.price)
                .err()
                .map(SpecError::Lifecycle),
        );
        errors
    }
}

/// One broken rule of an [`EndpointSpec`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// A text or number.
    #[error("{field}: {error}")]
    Text {
        /// Field of the spec.
        field: &'static str,
        /// What is wrong.
        error: RuleError,
    },
    /// The path.
    #[error("route: {0}")]
    Route(RouteError),
    /// The price.
    #[error("price: {0}")]
    Price(PriceModelError),
    /// The example request, which has no price.
    #[error("probe: {0}")]
    Probe(Box<PriceError>),
    /// A free allowance or a plan.
    #[error("{0}")]
    Offer(OfferError),
    /// What will change.
    #[error("{0}")]
    Lifecycle(LifecycleError),
}
