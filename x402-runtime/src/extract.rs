//! Who paid and how much, for handlers that want to know.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use alloy_primitives::{Address, hex};
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use x402_model::asset::Asset;
use x402_model::money::AtomicAmount;
use x402_model::network::Network;
use x402_model::problem::{Problem, ProblemCode};

use crate::bind::Terms;
pub use crate::headers::{Headers, HeadersRejection};
use crate::ledger::PaymentKey;
use crate::telemetry::event;

/// The verified payment behind a request, as an extractor.
///
/// The gate puts it there after it has verified and reserved the payment; nothing in a request can. By default the money
/// moves after the handler answered, so a handler that does something which cannot be undone should use
/// [`payment_id`](Self::payment_id) as its idempotency key: it is the same for every run of one payment.
///
/// ```
/// use x402_runtime::extract::Paid;
/// async fn hello(paid: Paid) -> String {
///     format!("{} paid {} {}", paid.payer, paid.amount.to_decimal(paid.asset.decimals), paid.asset.symbol)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Paid {
    /// The account that signed.
    pub payer: Address,
    /// How much, in the token's smallest unit.
    pub amount: AtomicAmount,
    /// The token.
    pub asset: Asset,
    /// The network.
    pub network: Network,
    /// Names this payment, in this process and in every other.
    pub payment_id: PaymentId,
}

/// What the gate leaves in a request whose payment it has verified. Only handlers that ask pay for the names in [`Paid`].
#[derive(Debug, Clone)]
pub(crate) struct Proof {
    pub(crate) key: PaymentKey,
    pub(crate) terms: Arc<Terms>,
}

impl Proof {
    fn paid(&self) -> Paid {
        let Self { key, terms } = self;
        Paid {
            payer: key.payer,
            amount: terms.amount(),
            network: key.network.clone(),
            asset: terms.asset().clone(),
            payment_id: PaymentId::of(key),
        }
    }
}

/// A stable name of a payment: a digest of network, token, payer and nonce.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentId(String);

impl PaymentId {
    /// The name of the payment with this key.
    #[must_use]
    pub fn of(key: &PaymentKey) -> Self {
        let digest = Sha256::digest(key.to_string());
        let short = digest.get(..16).unwrap_or_default();
        Self(format!("pay_{}", hex::encode(short)))
    }

    /// The name: `pay_` and 32 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PaymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The answer when [`Paid`] is asked for where nobody paid: 402 without terms, so nothing is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotPaid;

impl fmt::Display for NotPaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no verified payment: the handler is not mounted by a paywall")
    }
}

impl std::error::Error for NotPaid {}

impl IntoResponse for NotPaid {
    fn into_response(self) -> Response {
        tracing::error!(name: event::NOT_PAID, "a handler asked for `Paid` outside a paywall; mount it with `paywall.mount`");
        crate::gate::bare_problem(&Problem::new(ProblemCode::PaymentRequired))
    }
}

impl<S: Sync> FromRequestParts<S> for Paid {
    type Rejection = NotPaid;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, NotPaid> {
        parts.extensions.get().map(Proof::paid).ok_or(NotPaid)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Paid {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get().map(Proof::paid))
    }
}
