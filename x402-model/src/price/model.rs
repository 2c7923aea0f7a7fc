//! The models by which an endpoint charges, as plain constant data.

use std::borrow::Cow;

use serde_json::Value;

use super::check;
use super::evaluate::{self, Needs};
use super::expr::{Price, PriceUnit};
use super::fault::PriceModelError;
use super::outcomes::{self, Inexact};
use super::probe;
use super::refusal::PriceError;
use super::selector::Selector;
use crate::money::Decimal;

/// The least and the most that one call can cost, in one unit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// The least.
    pub min: Price,
    /// The most: a request for payment above it is a breach of contract.
    pub max: Price,
}

/// How an endpoint charges. Every model can be written as a constant and has [`Bounds`].
///
/// ```
/// use x402_model::money::Decimal;
/// use x402_model::price::{Price, PriceModel, PriceUnit};
///
/// const MODEL: PriceModel = PriceModel::Flat { amount: Price { amount: Decimal::new(1, 2), unit: PriceUnit::Usd } };
/// assert_eq!(MODEL.bounds().max.to_string(), "0.01 USD");
/// assert_eq!(MODEL.check(), Ok(()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PriceModel {
    /// Costs nothing.
    Free,
    /// Every call costs the same.
    Flat {
        /// Price of a call.
        amount: Price,
    },
    /// The request decides among listed prices.
    Tiered {
        /// What decides; each dimension contributes one amount or factor.
        dimensions: Cow<'static, [Dimension]>,
        /// How the contributions make the price.
        combine: Combine,
        /// Reductions for buyers of many calls.
        rebates: Cow<'static, [Rebate]>,
        /// The bounds that [`tiered_bounds`](super::tiered_bounds) computes, kept so that they are constant data.
        bounds: Bounds,
    },
    /// Metered: the buyer signs up to a ceiling, the measured sum is settled.
    Usage {
        /// Part of the price that is always due.
        base: Option<Price>,
        /// What is metered.
        units: Cow<'static, [UsageUnit]>,
        /// How a metered sum becomes atomic units.
        rounding: Rounding,
        /// Estimates are multiplied by this, at least 1, before they become the ceiling of one call.
        headroom: Decimal,
        /// The most that one call can cost.
        ceiling: Price,
    },
    /// The seller computes each price, within bounds that are checked at run time.
    Dynamic {
        /// The least that a call can cost; nothing if absent.
        min: Option<Price>,
        /// The most that a call can cost. Without it there is no dynamic price.
        max: Price,
        /// How a buyer learns the price of a call.
        quote: Quote,
        /// What the price depends on, in words.
        factors: Cow<'static, [Cow<'static, str>]>,
    },
}

impl PriceModel {
    /// The least and the most that one call can cost.
    ///
    /// For a tiered model these are the bounds written in it; [`Self::check`] tells whether they are right.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        let between = |min: Option<&Price>, max: &Price| Bounds {
            min: min.cloned().unwrap_or_else(|| max.zero_of()),
            max: max.clone(),
        };
        match self {
            Self::Free => {
                let nothing = Price {
                    amount: Decimal::ZERO,
                    unit: PriceUnit::Usd,
                };
                Bounds {
                    min: nothing.clone(),
                    max: nothing,
                }
            }
            Self::Flat { amount } => Bounds {
                min: amount.clone(),
                max: amount.clone(),
            },
            Self::Tiered { bounds, .. } => bounds.clone(),
            Self::Usage { base, ceiling, .. } => between(base.as_ref(), ceiling),
            Self::Dynamic { min, max, .. } => between(min.as_ref(), max),
        }
    }

    /// Whether calls cost nothing.
    #[must_use]
    pub const fn is_free(&self) -> bool {
        matches!(self, Self::Free)
    }

    /// The name of the model in a manifest.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Flat { .. } => "flat",
            Self::Tiered { .. } => "tiered",
            Self::Usage { .. } => "usage",
            Self::Dynamic { .. } => "dynamic",
        }
    }

    /// What has to be known about a request before its price can be told.
    #[must_use]
    pub fn needs(&self) -> Needs {
        evaluate::needs(self)
    }

    /// The price of the endpoint's example request, which is also what a bare request is offered. Without an example,
    /// and where the seller computes prices, it is the most that a call can cost: whoever pays that is served whatever the
    /// request turns out to be.
    ///
    /// # Errors
    /// [`PriceError`] if the example is none or has no price.
    pub fn probe_price(&self, example: Option<&str>) -> Result<Price, PriceError> {
        probe::price(self, example)
    }

    /// Whether every amount that can come out is a whole number of atomic units of an asset with `decimals` decimals.
    ///
    /// # Errors
    /// [`Inexact`], the first amount that is none.
    ///
    /// ```
    /// use x402_model::money::Decimal;
    /// use x402_model::price::{Price, PriceModel, PriceUnit};
    ///
    /// let half_a_cent = PriceModel::Flat { amount: Price { amount: Decimal::new(5, 3), unit: PriceUnit::Usd } };
    /// assert!(half_a_cent.exact_on(6).is_ok());
    /// assert_eq!(half_a_cent.exact_on(2).unwrap_err().to_string(), "0.005 USD is no whole count of units of 2 decimals");
    /// ```
    pub fn exact_on(&self, decimals: u8) -> Result<(), Inexact> {
        outcomes::exact_on(self, decimals)
    }

    /// Checks what the types cannot: one unit throughout, ordered bands, right bounds, a price above zero.
    ///
    /// # Errors
    /// [`PriceModelError`], the first rule that is broken.
    pub fn check(&self) -> Result<(), PriceModelError> {
        check::model(self)
    }
}

/// How the contributions of dimensions make a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Combine {
    /// One dimension gives an amount, all others factors; they are multiplied.
    Multiply,
    /// Every dimension gives an amount; they are added.
    Sum,
}

/// What one dimension contributes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Charge {
    /// An amount, which may be zero.
    Amount(Price),
    /// A factor on the amount of another dimension.
    Factor(Decimal),
}

/// One thing in the request that decides about the price.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dimension {
    /// Where the deciding value stands.
    pub by: Selector,
    /// What it is compared with.
    pub table: DimensionTable,
}

/// The entries of a dimension: values or ranges.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DimensionTable {
    /// One entry per value.
    Cases(Cow<'static, [Case]>),
    /// One entry per range, in rising order.
    Bands(Cow<'static, [Band]>),
}

/// The charge for one value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Case {
    /// The value.
    pub equals: CaseValue,
    /// Its charge.
    pub charge: Charge,
}

/// A JSON scalar that a case is about, or that stands in for a missing value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CaseValue {
    /// A string.
    Text(Cow<'static, str>),
    /// A whole number.
    Integer(i64),
    /// A truth value.
    Bool(bool),
}

impl CaseValue {
    /// A JSON value as prices compare it; `None` for floats, null, arrays and objects.
    ///
    /// ```
    /// use serde_json::json;
    /// use x402_model::price::CaseValue;
    /// let seven = CaseValue::from_json(&json!(7)).unwrap();
    /// assert_eq!(seven, CaseValue::Integer(7));
    /// assert_eq!(seven.to_json(), json!(7));
    /// assert_eq!(CaseValue::from_json(&json!(0.5)), None);
    /// ```
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(Cow::Owned(text.clone()))),
            Value::Bool(truth) => Some(Self::Bool(*truth)),
            Value::Number(number) => number.as_i64().map(Self::Integer),
            _ => None,
        }
    }

    /// The value in JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => Value::from(&**text),
            Self::Integer(number) => Value::from(*number),
            Self::Bool(truth) => Value::from(*truth),
        }
    }
}

/// The charge for one range.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Band {
    /// Highest value of the range, itself included; only the last band may have none.
    pub up_to: Option<Decimal>,
    /// The charge inside the range.
    pub charge: Charge,
}

/// A reduction for payers who bought much within a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rebate {
    /// What is counted.
    pub by: RebateBy,
    /// Length of the sliding window in seconds.
    pub window_seconds: u64,
    /// Factors by what was bought, in rising order. Above the last closed band there is no rebate.
    pub bands: Cow<'static, [RebateBand]>,
}

/// What a rebate counts, per payer and endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum RebateBy {
    /// Calls bought.
    #[default]
    Calls,
    /// Money spent, in the unit of the price.
    Spend,
}

/// The factor for a range of calls bought or of money spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RebateBand {
    /// The band lasts until so much was bought before this call: the call after the thousandth is the first outside of
    /// a band up to 1000. Only the last band may have none.
    pub up_to: Option<Decimal>,
    /// The factor on the price, at most 1.
    pub factor: Decimal,
}

/// One metered quantity.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UsageUnit {
    /// Name of the quantity, such as `inputTokens`.
    pub id: Cow<'static, str>,
    /// How many of it `amount` pays for, at least 1.
    pub per: u64,
    /// Price of `per` of it.
    pub amount: Price,
    /// Where the quantity stands after the call.
    pub meter: Selector,
    /// Where it can be estimated before the call.
    pub estimate: Option<Selector>,
}

/// How a metered sum that is no whole count of atomic units is settled. Prices themselves are never rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Rounding {
    /// Up to the next atomic unit.
    #[default]
    UpToAtomic,
    /// Down to the last full atomic unit.
    DownToAtomic,
}

impl Rounding {
    /// The name in a manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UpToAtomic => "up-to-atomic",
            Self::DownToAtomic => "down-to-atomic",
        }
    }
}

/// How a buyer learns a dynamic price.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quote {
    /// From the answer to the unpaid request; valid for that many seconds.
    Required402 {
        /// How long the price holds.
        ttl_seconds: u64,
    },
    /// From a free endpoint, by its id; valid for that many seconds.
    Endpoint {
        /// Id of the endpoint that quotes.
        id: Cow<'static, str>,
        /// How long the price holds.
        ttl_seconds: u64,
    },
}
