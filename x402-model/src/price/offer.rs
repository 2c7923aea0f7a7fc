//! What a buyer may have instead of paying per call: free allowances, prepaid credit, subscriptions.

use std::borrow::Cow;

use super::expr::{Price, PriceUnit};
use crate::endpoint::{RouteSpec, rules};

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

/// A free allowance or a plan that cannot be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OfferError {
    /// No calls, or none in no time.
    #[error("a free allowance of {what} is none: write at least 1, or leave it out")]
    NothingFree {
        /// What there is none of.
        what: &'static str,
    },
    /// Free calls counted by payer, for callers who do not say who they are.
    #[error(
        "free calls for each payer need callers who sign in: without that anybody is as many payers as he likes"
    )]
    Unidentified,
    /// A plan whose id, path or header cannot be used.
    #[error("plan {id:?}: {reason}")]
    Plan {
        /// The plan.
        id: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Allowance {
    /// Checks that there is something free and that it can be counted.
    ///
    /// # Errors
    /// [`OfferError`].
    pub const fn check(&self) -> Result<(), OfferError> {
        let what = match self.kind {
            _ if self.calls == 0 => "0 calls",
            AllowanceKind::FreeQuota { window_seconds: 0 } => "a window of 0 seconds",
            _ if matches!(
                (self.scope, self.identify),
                (Scope::Payer, Identify::Nothing)
            ) =>
            {
                return Err(OfferError::Unidentified);
            }
            _ => return Ok(()),
        };
        Err(OfferError::NothingFree { what })
    }
}

impl Plan {
    /// Checks that the plan sells something in the unit of the prices that it stands for, and does not cost more than
    /// it gives.
    ///
    /// # Errors
    /// [`OfferError::Plan`].
    pub fn check(&self, unit: &PriceUnit) -> Result<(), OfferError> {
        self.reason(unit).map_or(Ok(()), |reason| {
            Err(OfferError::Plan {
                id: self.id.to_string(),
                reason,
            })
        })
    }

    /// Why the plan cannot be sold, if it cannot.
    fn reason(&self, unit: &PriceUnit) -> Option<String> {
        if let Err(error) = rules::check_id(&self.id) {
            return Some(error.to_string());
        }
        if let Err(error) = rules::check_path(self.purchase.path) {
            return Some(error.to_string());
        }
        let token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if self.present_header.is_empty() || !self.present_header.bytes().all(token) {
            return Some("the header has no name of letters, digits and `-`".to_owned());
        }
        let (amount, others) = match &self.kind {
            PlanKind::Prepaid {
                amount,
                credit,
                expires_seconds,
            } => {
                if credit.unit == amount.unit && credit.amount < amount.amount {
                    return Some(format!(
                        "it gives {credit} for {amount}: give at least as much"
                    ));
                }
                if *expires_seconds == Some(0) {
                    return Some("its credit is lost at once".to_owned());
                }
                (amount, Some(credit))
            }
            PlanKind::Subscription {
                amount,
                period_seconds,
                includes_calls,
            } => {
                if *period_seconds == 0 || *includes_calls == Some(0) {
                    return Some("it includes nothing".to_owned());
                }
                (amount, None)
            }
        };
        if amount.amount.is_zero() {
            return Some("it costs nothing".to_owned());
        }
        let other = core::iter::once(amount)
            .chain(others)
            .find(|price| price.unit != *unit)?;
        Some(format!(
            "it is in {}, and the price is in {unit}",
            other.unit
        ))
    }
}
