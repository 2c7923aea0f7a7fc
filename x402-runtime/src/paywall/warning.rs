//! What a seller should know about a paywall that starts nevertheless.

use x402_model::endpoint::{MIN_PRICE_DAYS, MIN_SUNSET_DAYS};

/// Something that is probably not meant. Its text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// The chain could not be asked whether a token is what the settings say.
    #[error(
        "rail `{rail}` was not compared with the chain: {reason}; restart once the node answers, and look for this warning again"
    )]
    TokenUnchecked {
        /// The rail.
        rail: String,
        /// Why.
        reason: String,
    },
    /// The chain does not show something that the settings say of a token.
    #[error("rail `{rail}`: {what}")]
    TokenUnproven {
        /// The rail.
        rail: String,
        /// What it does not show, and what that may mean.
        what: &'static str,
    },
    /// A price that costs more to settle than it earns.
    #[error(
        "a call of `{endpoint}` on rail `{rail}` costs more to settle than it earns: {price} against about {cost} USD ({gas} gas at \
         {wei_per_gas} wei); ask for more, or accept a cheaper rail only"
    )]
    Loss {
        /// The endpoint.
        endpoint: String,
        /// The rail.
        rail: String,
        /// The least that a paid call earns, with its token.
        price: String,
        /// What settling it costs, in US dollars, cut to four digits.
        cost: String,
        /// Units of gas of one settlement.
        gas: u64,
        /// Wei per unit of gas at the start.
        wei_per_gas: u128,
    },
    /// What settling costs cannot be compared with prices.
    #[error(
        "rail `{rail}`: a settlement takes about {gas} gas at {wei_per_gas} wei, and no price of the coin of {network} is set, so \
         nobody looked whether prices earn that; set one, as in `.native_price(network, \"3000 USD\")`"
    )]
    CostUncompared {
        /// The rail.
        rail: String,
        /// The network.
        network: String,
        /// Units of gas of one settlement.
        gas: u64,
        /// Wei per unit of gas at the start.
        wei_per_gas: u128,
    },
    /// An endpoint goes away soon after it is deprecated.
    #[error(
        "`{endpoint}` is deprecated {days} days before its sunset, and buyers need at least {MIN_SUNSET_DAYS} to change agents that \
         run: set a later sunset"
    )]
    SunsetSoon {
        /// The endpoint.
        endpoint: String,
        /// Whole days between the two.
        days: u64,
    },
    /// A price that rises soon after buyers could know of it.
    #[error(
        "the price of `{endpoint}` changes at {from}, {days} days after buyers could first know of it, and they need at least \
         {MIN_PRICE_DAYS}: schedule it later, or say with `announced = \"…\"` since when it is known"
    )]
    PriceSoon {
        /// The endpoint.
        endpoint: String,
        /// When the price changes, RFC 3339.
        from: String,
        /// Whole days that buyers have.
        days: u64,
    },
    /// An endpoint that was to be gone is still sold.
    #[error(
        "the sunset of `{endpoint}` was at {sunset}, and it is still sold: unmount it, or set a later sunset"
    )]
    SunsetPassed {
        /// The endpoint.
        endpoint: String,
        /// When it was to be gone, RFC 3339.
        sunset: String,
    },
    /// A price in a token that does not stand for the dollar, in which manifests count.
    #[error(
        "`{endpoint}` is priced in {symbol}, which does not stand for the dollar: a manifest with prices in dollars leaves it out, \
         and agents that count in dollars do not pay it; if it does, say so of its rail (`usd_pegged`)"
    )]
    NoDollar {
        /// The endpoint.
        endpoint: String,
        /// Symbol of the token.
        symbol: String,
    },
    /// The network did not say what gas costs.
    #[error("rail `{rail}`: nobody looked whether prices earn what settling costs: {reason}")]
    CostUnread {
        /// The rail.
        rail: String,
        /// Why.
        reason: String,
    },
}

impl Warning {
    /// A stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TokenUnchecked { .. } => "token_unchecked",
            Self::TokenUnproven { .. } => "token_unproven",
            Self::Loss { .. } => "settlement_loss",
            Self::CostUncompared { .. } => "settlement_cost_uncompared",
            Self::CostUnread { .. } => "settlement_cost_unread",
            Self::SunsetSoon { .. } => "sunset_soon",
            Self::SunsetPassed { .. } => "sunset_passed",
            Self::PriceSoon { .. } => "price_soon",
            Self::NoDollar { .. } => "price_no_dollar",
        }
    }

    /// The rail that it is about; empty if it is about an endpoint on all of its rails.
    #[must_use]
    pub fn rail(&self) -> &str {
        match self {
            Self::SunsetSoon { .. }
            | Self::SunsetPassed { .. }
            | Self::PriceSoon { .. }
            | Self::NoDollar { .. } => "",
            Self::TokenUnchecked { rail, .. }
            | Self::TokenUnproven { rail, .. }
            | Self::Loss { rail, .. }
            | Self::CostUncompared { rail, .. }
            | Self::CostUnread { rail, .. } => rail,
        }
    }
}
