//! The buyer's own word before money is spent: which option, and whether at all.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::Method;
use url::Url;

use crate::select::Choice;
use crate::seller::clean_code;

/// The call that is about to be paid.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Proposal<'a> {
    /// The method.
    pub method: &'a Method,
    /// The URL called, with its query, which can be a secret of the caller's.
    pub url: &'a Url,
}

impl fmt::Debug for Proposal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proposal")
            .field("method", &self.method)
            .field("url", &self.url.path())
            .finish()
    }
}

/// Decides about payments, after policy and budget have allowed them: a person that is asked, a rule of your own, a log.
///
/// Hooks can only say less than policy and budget, never more. They fail closed: an error, an index that is none, and a
/// silence beyond the deadline of a send all end the call with [`crate::Error::Declined`]; nothing is signed then, and the
/// budget has its money back. What [`PaymentHook::before_sign`] saw is what is signed.
///
/// ```
/// use futures_util::future::BoxFuture;
/// use x402_client::hook::{Declined, PaymentHook, Proposal};
/// use x402_client::select::Choice;
///
/// /// Pays nobody but sellers whose names end in `.example.com`.
/// struct OnlyFriends;
///
/// impl PaymentHook for OnlyFriends {
///     fn before_sign<'a>(&'a self, call: Proposal<'a>, _: &'a Choice) -> BoxFuture<'a, Result<(), Declined>> {
///         Box::pin(async move {
///             let friend = call.url.host_str().is_some_and(|host| host.ends_with(".example.com"));
///             if friend { Ok(()) } else { Err(Declined::new("unknown_seller")) }
///         })
///     }
/// }
/// ```
pub trait PaymentHook: Send + Sync + 'static {
    /// Which of the acceptable options to pay, by its position in `acceptable`. They are in the order of the policy; there is
    /// at least one. The default takes the first.
    ///
    /// # Errors
    /// [`Declined`] to pay none of them.
    fn choose<'a>(
        &'a self,
        call: Proposal<'a>,
        acceptable: &'a [Choice],
    ) -> BoxFuture<'a, Result<usize, Declined>> {
        let _ = (call, acceptable);
        Box::pin(async { Ok(0) })
    }

    /// Whether to sign. Room in the budget is taken by then, and given back if not. The default signs.
    ///
    /// A payment that is only presented again is not asked for again.
    ///
    /// # Errors
    /// [`Declined`] to sign nothing.
    fn before_sign<'a>(
        &'a self,
        call: Proposal<'a>,
        choice: &'a Choice,
    ) -> BoxFuture<'a, Result<(), Declined>> {
        let _ = (call, choice);
        Box::pin(async { Ok(()) })
    }
}

impl<H: PaymentHook + ?Sized> PaymentHook for Arc<H> {
    fn choose<'a>(
        &'a self,
        call: Proposal<'a>,
        acceptable: &'a [Choice],
    ) -> BoxFuture<'a, Result<usize, Declined>> {
        (**self).choose(call, acceptable)
    }

    fn before_sign<'a>(
        &'a self,
        call: Proposal<'a>,
        choice: &'a Choice,
    ) -> BoxFuture<'a, Result<(), Declined>> {
        (**self).before_sign(call, choice)
    }
}

impl fmt::Debug for dyn PaymentHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PaymentHook")
    }
}

/// A hook's no, with a code for whoever reads the error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("declined by a payment hook: {code}")]
pub struct Declined {
    code: Box<str>,
}

impl Declined {
    /// A no. Of `code` at most 80 visible ASCII characters are kept.
    #[must_use]
    pub fn new(code: &str) -> Self {
        Self {
            code: clean_code(code).into(),
        }
    }

    /// The hook's code; `hook_timeout` and `hook_choice` if it was silent or chose an option that is none.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }
}
