//! Price models that contradict themselves: one variant per rule.

use super::model::Bounds;
use super::selector::Selector;
use crate::money::Decimal;

/// A price model that contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PriceModelError {
    /// Nothing can ever be charged.
    #[error("the price can never be more than zero: free routes need no `#[paid]`")]
    NeverCharges,
    /// A tiered price without dimensions, a dimension without entries, or a metered price without units.
    #[error("{what} is empty: give at least one entry")]
    Empty {
        /// Which list.
        what: &'static str,
    },
    /// Two units in one price.
    #[error("the price mixes {first} and {second}: write every amount in the same unit")]
    MixedUnits {
        /// The first unit met.
        first: String,
        /// Another one.
        second: String,
    },
    /// A product needs exactly one dimension of amounts.
    #[error(
        "`multiply` needs exactly one dimension with amounts and factors in all others, but {found} have amounts"
    )]
    AmountDimensions {
        /// Dimensions of amounts found.
        found: usize,
    },
    /// A sum takes no factors.
    #[error("`sum` adds amounts: write amounts, not factors, in every dimension")]
    FactorInSum,
    /// Amounts and factors in one dimension.
    #[error("a dimension holds amounts or factors, not both")]
    MixedDimension,
    /// Bands that do not rise, or an open band that is not last.
    #[error("bands must rise, and only the last may have no upper end")]
    BandOrder,
    /// The same value twice.
    #[error("a value stands twice in one dimension")]
    DuplicateCase,
    /// A rebate above 1.
    #[error("a rebate of {factor} raises the price: write a factor of at most 1")]
    RebateRaises {
        /// The factor.
        factor: Decimal,
    },
    /// More digits than a decimal holds.
    #[error("the bounds need more than 38 digits: write smaller amounts or factors")]
    TooManyDigits,
    /// The bounds written in the model are not those of its tiers.
    #[error("the bounds must be {} to {}", right.min, right.max)]
    WrongBounds {
        /// The bounds that follow from the tiers.
        right: Box<Bounds>,
    },
    /// The least is more than the most.
    #[error("the least price {} is more than the most, {}", bounds.min, bounds.max)]
    Reversed {
        /// The bounds as written.
        bounds: Box<Bounds>,
    },
    /// A number that must be at least 1.
    #[error("{what} must be at least 1")]
    BelowOne {
        /// Which number.
        what: &'static str,
    },
    /// Two metered quantities of the same name, or one without a name.
    #[error("each metered quantity needs a name of its own, but {id:?} is empty or taken")]
    UnitId {
        /// The name.
        id: String,
    },
    /// Values of different kinds in one dimension.
    #[error("the values of one dimension are of one kind: strings, whole numbers or truth values")]
    MixedCases,
    /// Texts or truth values compared with a count.
    #[error("a count is a number: compare it with numbers or bands")]
    CountedText,
    /// A case that no count ever is.
    #[error("nothing reaches the tier of {value}: a count is at least 0")]
    NegativeCount {
        /// The value of the case.
        value: i64,
    },
    /// A selector that no request can have a value for, or something counted that has no count.
    #[error("{selector} cannot be read: {reason}")]
    Selector {
        /// What is selected.
        selector: Box<Selector>,
        /// Why it cannot.
        reason: &'static str,
    },
    /// A default that has no price.
    #[error("the default of {selector} has no price: list it, or leave the default out")]
    DefaultWithoutPrice {
        /// What is selected.
        selector: Box<Selector>,
    },
    /// Calls are whole.
    #[error("a rebate counts whole calls, so a band cannot end at {end}")]
    PartOfACall {
        /// The end as written.
        end: Decimal,
    },
    /// A band that no value is in.
    #[error(
        "nothing is in the band up to {end}: counts are whole numbers, and the band before has them all"
    )]
    EmptyBand {
        /// The end of the band.
        end: Decimal,
    },
    /// More combinations of tiers than can be looked at.
    #[error("the tiers combine to more than {limit} amounts: use fewer tiers or dimensions")]
    TooManyOutcomes {
        /// The limit.
        limit: usize,
    },
    /// Metered quantities whose divisors have no common multiple of 38 digits.
    #[error("`per` and `divide_by` of the metered units have no common multiple of 38 digits")]
    Divisors,
    /// A quote that is over before anybody can sign it.
    #[error("a quote of no length cannot be paid")]
    QuoteOver,
    /// A price that is asked before the call looks at the answer.
    #[error(
        "the price is asked before the call, so it cannot depend on the answer: select a part of the request"
    )]
    LooksAtAnswer,
}
