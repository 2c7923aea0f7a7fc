//! Why a request has no price: one variant per reason, each naming the place and what was wanted there.

use super::expr::Price;
use super::model::Bounds;
use super::selector::Selector;
use crate::money::{Decimal, quote};

/// A request without a price, or a quantity that cannot be charged. Nothing was rounded or guessed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PriceError {
    /// The value is not there and has no default.
    #[error("{selector} is missing: the price depends on it, as {wanted}")]
    Missing {
        /// Where it was looked for.
        selector: Box<Selector>,
        /// What belongs there.
        wanted: Wanted,
    },
    /// The value is there, but is something else.
    #[error("{selector} is {found}: the price depends on it, as {wanted}")]
    WrongType {
        /// Where it stands.
        selector: Box<Selector>,
        /// What belongs there.
        wanted: Wanted,
        /// What is there.
        found: &'static str,
    },
    /// The value stands there more than once, and readers differ in which one they take.
    #[error("{selector} is given more than once: send it once")]
    Repeated {
        /// Where it stands.
        selector: Box<Selector>,
    },
    /// A number with an exponent or with more than 38 digits, which many readers round.
    #[error(
        "{selector} is {}, which cannot be read exactly: write up to 38 digits without an exponent",
        quote(given)
    )]
    NotExact {
        /// Where it stands.
        selector: Box<Selector>,
        /// The beginning of what is there.
        given: String,
    },
    /// None of the listed values.
    #[error(
        "{selector} is {}, which has no price: it is one of {listed}",
        quote(given)
    )]
    NoCase {
        /// Where it stands.
        selector: Box<Selector>,
        /// The beginning of what is there.
        given: String,
        /// The values with a price.
        listed: String,
    },
    /// Above the last band, or below zero.
    #[error("{selector} is {given}, which has no price: prices are for 0 to {most}")]
    NoBand {
        /// Where it stands.
        selector: Box<Selector>,
        /// What is there.
        given: String,
        /// Where the last band ends, or "any number".
        most: String,
    },
    /// The body that the price depends on is no JSON.
    #[error("the body is no JSON, and {selector} decides about the price")]
    NotJson {
        /// What was looked for in it.
        selector: Box<Selector>,
    },
    /// The body nests deeper than [`MAX_DEPTH`](crate::wire::json::MAX_DEPTH).
    #[error("the body nests too deeply to look for {selector}")]
    TooDeep {
        /// What was looked for in it.
        selector: Box<Selector>,
    },
    /// The price depends on a body or an answer that the caller of the evaluation did not give.
    #[error(
        "{selector} decides about the price, and was not read: ask the price for what it needs"
    )]
    NotRead {
        /// What was looked for.
        selector: Box<Selector>,
    },
    /// More digits than an amount holds.
    #[error("the amount has too many digits")]
    TooLarge,
    /// An amount outside the bounds that were published.
    #[error("{price} is outside the bounds {} to {}", bounds.min, bounds.max)]
    OutOfBounds {
        /// The amount.
        price: Price,
        /// The bounds.
        bounds: Box<Bounds>,
    },
    /// An amount in another unit than the bounds.
    #[error("{price} is in another unit than the bounds, {} to {}", bounds.min, bounds.max)]
    OtherUnit {
        /// The amount.
        price: Price,
        /// The bounds.
        bounds: Box<Bounds>,
    },
    /// Metered quantities for a price that is not metered, or a metered price asked for one that is not.
    #[error("a {model} price is not {wanted}")]
    OtherModel {
        /// Name of the model.
        model: &'static str,
        /// What it was taken for.
        wanted: &'static str,
    },
    /// A quantity that the price does not know, or the same one twice.
    #[error(
        "{} is no metered quantity of this price, or was given twice",
        quote(id)
    )]
    UnknownQuantity {
        /// Its name.
        id: String,
    },
    /// A quantity that the price needs and nobody measured.
    #[error("the metered quantity {} is missing", quote(id))]
    MissingQuantity {
        /// Its name.
        id: String,
    },
    /// A limit of the model that the asset cannot express; models that pass `exact_on` have none.
    #[error("{amount} is no whole count of units of {decimals} decimals")]
    Inexact {
        /// The amount.
        amount: Decimal,
        /// Decimals of the asset.
        decimals: u8,
    },
    /// The example request of the endpoint is not written as one.
    #[error("the example is no request: {reason}")]
    Example {
        /// What is wrong with it.
        reason: String,
    },
}

/// What a selector is expected to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wanted {
    /// A string.
    Text,
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Bool,
    /// An array.
    Array,
    /// An object, on the way to the value.
    Object,
}

impl core::fmt::Display for Wanted {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Text => "a string",
            Self::Number => "a number of at least 0",
            Self::Integer => "a whole number",
            Self::Bool => "`true` or `false`",
            Self::Array => "an array",
            Self::Object => "part of an object",
        })
    }
}

impl PriceError {
    /// The reason in snake case. Stable: messages may change, codes do not.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "price_value_missing",
            Self::WrongType { .. } => "price_value_of_wrong_type",
            Self::Repeated { .. } => "price_value_repeated",
            Self::NotExact { .. } => "price_value_not_exact",
            Self::NoCase { .. } => "price_no_case",
            Self::NoBand { .. } => "price_no_band",
            Self::NotJson { .. } => "price_body_not_json",
            Self::TooDeep { .. } => "price_body_too_deep",
            Self::NotRead { .. } => "price_not_read",
            Self::TooLarge => "price_too_large",
            Self::OutOfBounds { .. } => "price_out_of_bounds",
            Self::OtherUnit { .. } => "price_other_unit",
            Self::OtherModel { .. } => "price_other_model",
            Self::UnknownQuantity { .. } => "price_unknown_quantity",
            Self::MissingQuantity { .. } => "price_missing_quantity",
            Self::Inexact { .. } => "price_inexact",
            Self::Example { .. } => "price_example",
        }
    }

    /// Whether another request would have a price: the buyer can put it right. All others are the seller's.
    #[must_use]
    pub const fn is_of_the_request(&self) -> bool {
        match self {
            Self::Missing { selector, .. }
            | Self::WrongType { selector, .. }
            | Self::Repeated { selector }
            | Self::NotExact { selector, .. }
            | Self::NoCase { selector, .. }
            | Self::NoBand { selector, .. }
            | Self::NotJson { selector }
            | Self::TooDeep { selector } => !selector.source.is_response(),
            _ => false,
        }
    }
}
