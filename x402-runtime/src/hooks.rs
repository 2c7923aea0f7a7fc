//! The seller's own word on payments: whether to take one, and what became of it.
//!
//! ```text
//! payment, signed by its payer ─▶ reserved ─▶ before_verify ─▶ facilitator ─▶ after_verify ─▶ handler ─▶ settled
//!                                                  │                │               │             │          │
//!                                                  └─── 403, 503 ───┴───────────────┴── on_failure ┘    on_settled
//! ```
//!
//! `docs/hooks.md` says what happens when one of them fails.

mod facts;
mod rejected;
mod run;

use std::fmt;
use std::future::ready;
use std::sync::Arc;

use crate::facilitator::BoxFuture;

pub use facts::{Failure, PaidCall, Settlement, Stage};
pub use rejected::{Decision, Rejected};
pub(crate) use run::{Call, Hooks};

/// Why a hook that is only told something did not do its work. It is logged, and sent to nobody.
pub type HookError = Box<dyn std::error::Error + Send + Sync>;

/// What a seller wants to decide or to know about payments. Every method has a default that does nothing.
///
/// **Two are asked and fail closed.** [`before_verify`](Self::before_verify) and [`after_verify`](Self::after_verify) are asked
/// about a payment that is reserved for this very request, so its payer has signed it, no copy of it is served at the same
/// time, and a refusal is certain to have charged nothing. A refusal is answered 403 `refused_by_seller`; an error, a panic and a
/// silence beyond [`hook_timeout`](crate::PaywallBuilder::hook_timeout) are answered 503 `seller_check_failed`. The handler runs
/// only after a yes of both. Then the reservation is dropped, and the same payment may be presented again.
///
/// A payment that was served before is not asked about again: whoever presents it gets the stored answer, whatever the hooks would
/// say by now. Neither are free calls, which have no payment.
///
/// **Two are told.** [`on_settled`](Self::on_settled) and [`on_failure`](Self::on_failure) run in tasks of their own, within the
/// same time, and change neither an answer nor a charge. Their errors, panics and time-outs are logged and counted.
///
/// One object serves all endpoints and is told which one it is about.
///
/// ```
/// use std::collections::HashSet;
/// use x402_runtime::facilitator::BoxFuture;
/// use x402_runtime::hooks::{Decision, HookError, PaidCall, Rejected, SellerHooks, Settlement};
///
/// /// Sells the report to members only, and writes down what was sold.
/// struct House {
///     members: HashSet<String>,
/// }
///
/// impl SellerHooks for House {
///     fn before_verify<'a>(&'a self, call: PaidCall<'a>) -> BoxFuture<'a, Decision> {
///         Box::pin(async move {
///             if call.endpoint == "report" && !self.members.contains(&call.payer.to_string()) {
///                 return Err(Rejected::new("not_a_member", "The report is for members."));
///             }
///             Ok(())
///         })
///     }
///
///     fn on_settled<'a>(&'a self, sold: &'a Settlement) -> BoxFuture<'a, Result<(), HookError>> {
///         Box::pin(async move {
///             println!("{} {} {}", sold.endpoint, sold.amount, sold.transaction);
///             Ok(())
///         })
///     }
/// }
/// ```
///
/// It is set with [`PaywallBuilder::hooks`](crate::PaywallBuilder::hooks).
pub trait SellerHooks: Send + Sync + 'static {
    /// Whether to go on with a payment before the facilitator is asked about it: its time is worth saving, and it is told nothing
    /// of what is refused here. The signature of a payer that is a contract needed the chain, so it was checked earlier.
    ///
    /// # Errors
    /// [`Rejected`] to refuse. Any error becomes one with `?`, and is answered 503.
    fn before_verify<'a>(&'a self, call: PaidCall<'a>) -> BoxFuture<'a, Decision> {
        let _ = call;
        Box::pin(ready(Ok(())))
    }

    /// Whether to run the handler for a payment that was found valid. The place to count what a payer used.
    ///
    /// # Errors
    /// As [`before_verify`](Self::before_verify).
    fn after_verify<'a>(&'a self, call: PaidCall<'a>) -> BoxFuture<'a, Decision> {
        let _ = call;
        Box::pin(ready(Ok(())))
    }

    /// The money of a payment moved.
    ///
    /// It is tried at least once for each payment that this process sees settled: once as a rule, and again after a restart, a
    /// reorganisation of the chain, or by another process on the same ledger while the settlement is not final. Tell calls
    /// apart by [`Settlement::payment_id`]. Books are made from the ledger.
    ///
    /// # Errors
    /// Anything; it is logged and counted, and not tried again.
    fn on_settled<'a>(
        &'a self,
        settlement: &'a Settlement,
    ) -> BoxFuture<'a, Result<(), HookError>> {
        let _ = settlement;
        Box::pin(ready(Ok(())))
    }

    /// A payment that its payer signed came to nothing, for now or for good.
    ///
    /// Not told: requests without a payment, payments that fail the checks which need nobody else, and further presentations of a
    /// payment that is known.
    ///
    /// # Errors
    /// As [`on_settled`](Self::on_settled).
    fn on_failure<'a>(&'a self, failure: &'a Failure) -> BoxFuture<'a, Result<(), HookError>> {
        let _ = failure;
        Box::pin(ready(Ok(())))
    }
}

impl<H: SellerHooks + ?Sized> SellerHooks for Arc<H> {
    fn before_verify<'a>(&'a self, call: PaidCall<'a>) -> BoxFuture<'a, Decision> {
        (**self).before_verify(call)
    }

    fn after_verify<'a>(&'a self, call: PaidCall<'a>) -> BoxFuture<'a, Decision> {
        (**self).after_verify(call)
    }

    fn on_settled<'a>(
        &'a self,
        settlement: &'a Settlement,
    ) -> BoxFuture<'a, Result<(), HookError>> {
        (**self).on_settled(settlement)
    }

    fn on_failure<'a>(&'a self, failure: &'a Failure) -> BoxFuture<'a, Result<(), HookError>> {
        (**self).on_failure(failure)
    }
}

impl fmt::Debug for dyn SellerHooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SellerHooks")
    }
}
