//! What a buyer may have instead of paying per call: free allowances, prepaid credit, subscriptions.

use std::borrow::Cow;

use super::expr::Price;
use crate::endpoint::RouteSpec;

/// Whose calls are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// One payer address.
    Payer,
    /// One network address.
    Client,
    /// Everyone.
    Global,
}

/// How a caller who does not pay shows who he is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Identify {
    /// By the `sign-in-with-x` extension.
    SignInWithX,
    /// By an API key.
    ApiKey,
    /// Not at all: the network address counts.
    Nothing,
}

/// Whether free calls come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AllowanceKind {
    /// So many calls in every window of this many seconds.
    FreeQuota {
        /// Length of the window.
        window_seconds: u64,
    },
    /// So many calls once and for all.
    Trial,
}

/// Calls that are answered without payment while they last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Allowance {
    /// Whether the calls come back.
    pub kind: AllowanceKind,
    /// Whose calls are counted together.
    pub scope: Scope,
    /// Number of free calls.
    pub calls: u64,
    /// How callers are told apart.
    pub identify: Identify,
}

/// What a plan sells.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PlanKind {
    /// Credit bought in advance.
    Prepaid {
        /// What is paid.
        amount: Price,
        /// The credit received.
        credit: Price,
        /// Seconds after which unused credit is lost, if ever.
        expires_seconds: Option<u64>,
    },
    /// Calls for a period.
    Subscription {
        /// What is paid per period.
        amount: Price,
        /// Length of the period.
        period_seconds: u64,
        /// Number of calls included, or unlimited.
        includes_calls: Option<u64>,
    },
}

/// A way to pay for many calls at once.
///
/// ```
/// use x402_model::endpoint::{Method, RouteSpec};
/// use x402_model::money::Decimal;
/// use x402_model::price::{Plan, PlanKind, Price, PriceUnit};
///
/// const TEN: Price = Price { amount: Decimal::new(10, 0), unit: PriceUnit::Usd };
/// const ELEVEN: Price = Price { amount: Decimal::new(11, 0), unit: PriceUnit::Usd };
/// const CREDITS: Plan = Plan {
///     id: std::borrow::Cow::Borrowed("credits-10"),
///     kind: PlanKind::Prepaid { amount: TEN, credit: ELEVEN, expires_seconds: Some(180 * 86_400) },
///     purchase: RouteSpec { method: Method::Post, path: "/v1/credits" },
///     present_header: std::borrow::Cow::Borrowed("SIGN-IN-WITH-X"),
/// };
/// assert_eq!(CREDITS.id, "credits-10");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Plan {
    /// Name of the plan.
    pub id: Cow<'static, str>,
    /// What it sells.
    pub kind: PlanKind,
    /// The endpoint that sells it.
    pub purchase: RouteSpec,
    /// The header in which a holder shows the plan instead of paying.
    pub present_header: Cow<'static, str>,
}
