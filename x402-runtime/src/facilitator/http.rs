//! Lets a provider of the facilitator REST API verify and settle, over HTTP (protocol 1.10).

mod answer;
mod asked;
mod auth;
mod body;
mod builder;
mod cdp;
mod connect;
mod connection;
mod kinds;
mod once;
mod pool;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use x402_model::wire::{PlainPayment, SupportedResponse, VerifyResponse};

use self::answer::Settling;
use self::asked::Asked;
use self::body::encode;
use self::kinds::Kinds;
use self::wire::{Wire, from_now};
use super::{
    BoxFuture, Evidence, Facilitator, FacilitatorError, FacilitatorRequest, PaymentRef,
    SettleOutcome,
};

pub use self::auth::{AuthError, BearerToken, Call, FacilitatorAuth, Operation};
pub use self::builder::{HttpFacilitatorBuilder, HttpFacilitatorError};
pub use self::cdp::{CdpAuth, CdpKeyError};

/// A provider that verifies and settles over HTTP.
///
/// Its word is taken narrowly:
///
/// - A settlement is HTTP 2xx with a boolean `success: true`, a transaction, the network that was asked for, and the right
///   payer if it names one. Whether that transaction exists only a chain can say.
/// - A refusal is a well-formed `success: false` that came without a transaction, with a reason that is decided before
///   anything is sent.
/// - Everything else leaves the outcome [`Unknown`](SettleOutcome::Unknown): no answer in time, a broken connection, an answer
///   that is too long or no answer of this protocol; but also `success: false` because the settlement is pending, because the
///   nonce was used already (by an earlier call whose answer was lost, by somebody who saw the authorization, or by a
///   cancellation; HTTP cannot tell which), or because a transaction failed.
///
/// There is no chain to ask, so [`evidence`](Facilitator::evidence) is never available. What became of an unknown payment is
/// learnt by presenting the same authorization to the provider again, which the paywall's resolver does as long as the
/// authorization lives; its nonce makes that harmless. The ledger keeps a payment unknown when a later call is refused, because
/// that refusal does not speak for the earlier call. A payment that stays unknown past its expiry is neither delivered nor
/// called unpaid.
///
/// Settle calls carry an `Idempotency-Key` that is the same for every call about one payment. It says that this seller has a
/// ledger and delivers once per payment, so that a provider may repeat a success whose answer was lost. Providers that do
/// not know the header ignore it.
///
/// Redirects are not followed, proxies of the environment are not used, answers are read up to a cap, and nothing that the
/// provider writes, its response headers included, is sent to a buyer.
///
/// ```
/// use x402_runtime::facilitator::http::HttpFacilitator;
/// let facilitator = HttpFacilitator::new("https://x402.org/facilitator/")?;
/// assert_eq!(facilitator.url(), "https://x402.org/facilitator");
/// assert!(HttpFacilitator::new("http://x402.org/facilitator").is_err());
/// # Ok::<(), x402_runtime::facilitator::http::HttpFacilitatorError>(())
/// ```
pub struct HttpFacilitator {
    inner: Arc<Inner>,
}

/// What the background refresh of the kinds shares with the facilitator.
struct Inner {
    wire: Wire,
    kinds: Kinds,
    verify_deadline: Duration,
    settle_deadline: Duration,
    check_before_serving: bool,
}

impl HttpFacilitator {
    /// The provider at `url`, without authorization and with the default bounds.
    ///
    /// # Errors
    /// When `url` is not the plain `https` address of a provider; `http` is allowed on the loopback interface only.
    pub fn new(url: &str) -> Result<Self, HttpFacilitatorError> {
        Self::builder(url).build()
    }

    /// The provider at `url`, with bounds and authorization to be set.
    pub fn builder(url: &str) -> HttpFacilitatorBuilder {
        HttpFacilitatorBuilder::new(url)
    }

    /// The base address, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> &str {
        self.inner.wire.base()
    }

    async fn verify_payment(
        &self,
        request: &FacilitatorRequest,
    ) -> Result<VerifyResponse, FacilitatorError> {
        let Inner {
            wire,
            verify_deadline,
            ..
        } = &*self.inner;
        let body = encode(
            request,
            PlainPayment::read(request.payload.as_str()).as_ref(),
        );
        let reply = wire
            .exchange(
                Operation::Verify,
                Some(body),
                None,
                from_now(*verify_deadline),
            )
            .await?;
        answer::verification(&reply)
    }

    async fn settle_payment(&self, request: &FacilitatorRequest) -> SettleOutcome {
        let asked = Asked::of(request);
        let until = from_now(self.inner.settle_deadline);
        match self.settle_once(&asked, until).await {
            Settling::Settled(response) => SettleOutcome::Settled(response),
            Settling::Refused(response) => SettleOutcome::Refused(response),
            Settling::Open {
                transaction,
                reason,
            } => unknown(transaction, reason),
            Settling::Pending { transaction } => {
                // Asked exactly once more, with the same bytes (protocol 1.10). A second "no" says nothing about the
                // transaction that the first answer named.
                match Box::pin(self.settle_once(&asked, until)).await {
                    Settling::Settled(response) => SettleOutcome::Settled(response),
                    Settling::Pending { transaction: again } => {
                        unknown(Some(again), "settlement_pending, twice".to_owned())
                    }
                    Settling::Refused(response) => {
                        let reason = response.error_reason.unwrap_or_default();
                        unknown(
                            Some(transaction),
                            format!("settlement_pending, then {reason}"),
                        )
                    }
                    Settling::Open {
                        transaction: again,
                        reason,
                    } => unknown(
                        again.or(Some(transaction)),
                        format!("settlement_pending, then {reason}"),
                    ),
                }
            }
        }
    }

    async fn settle_once(&self, asked: &Asked<'_>, until: Instant) -> Settling {
        let (body, key) = (asked.body.clone(), asked.key.clone());
        let exchange = self
            .inner
            .wire
            .exchange(Operation::Settle, Some(body), key, until);
        match exchange.await {
            Ok(reply) => answer::settlement(&reply, asked),
            Err(error) => Settling::Open {
                transaction: None,
                reason: error.to_string(),
            },
        }
    }
}

fn unknown(transaction: Option<String>, reason: String) -> SettleOutcome {
    SettleOutcome::Unknown {
        transaction,
        reason,
    }
}

impl Facilitator for HttpFacilitator {
    /// From memory when it is there. Never asked while a buyer waits for terms.
    fn supported(&self) -> BoxFuture<'_, Result<SupportedResponse, FacilitatorError>> {
        Box::pin(kinds::supported(&self.inner))
    }

    fn verify<'a>(
        &'a self,
        request: &'a FacilitatorRequest,
    ) -> BoxFuture<'a, Result<VerifyResponse, FacilitatorError>> {
        Box::pin(self.verify_payment(request))
    }

    fn settle<'a>(&'a self, request: &'a FacilitatorRequest) -> BoxFuture<'a, SettleOutcome> {
        Box::pin(self.settle_payment(request))
    }

    /// Never available: see [`HttpFacilitator`].
    fn evidence<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Evidence> {
        let _ = payment;
        Box::pin(std::future::ready(Evidence::Unavailable {
            reason: "a provider over HTTP does not read the chain for us".to_owned(),
        }))
    }

    /// `false` unless turned on with [`HttpFacilitatorBuilder::check_before_serving`].
    fn check_before_serving(&self) -> bool {
        self.inner.check_before_serving
    }
}

impl fmt::Debug for HttpFacilitator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpFacilitator")
            .field("url", &self.url())
            .field("verify_deadline", &self.inner.verify_deadline)
            .field("settle_deadline", &self.inner.settle_deadline)
            .field("check_before_serving", &self.inner.check_before_serving)
            .finish_non_exhaustive()
    }
}
