//! Every way a call can end without the seller's answer, with what it cost and what to do next.

use std::fmt;

use bytes::Bytes;
use http::StatusCode;
use x402_model::problem::{Action, Charged};

use crate::budget::{BudgetError, BudgetRefusal};
use crate::hook::Declined;
use crate::payment::PendingPayment;
use crate::receipt::{Receipt, Settlement};
use crate::select::Refusals;
use crate::terms::TermsError;
use crate::transport::{CutReason, TransportError};
use crate::wallet::SigningError;

mod refused;

pub use refused::{ApprovalRequired, Refused};

/// A call that did not end with the seller's answer.
///
/// - [`Error::charged`] says whether money was or may have been taken,
/// - [`Error::action`] says what to do next,
/// - [`Error::is_retryable`] says whether simply calling again is safe **and** may help.
///
/// No variant shows a key, a signature or a payment header, in `Debug` or `Display`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The call is wrong as written. Nothing was sent.
    #[error("invalid request: {0}")]
    InvalidRequest(#[from] RequestFault),
    /// The unpaid request got no answer.
    #[error("the seller was not reached: {0}")]
    Unreachable(#[source] TransportError),
    /// The seller asks for payment, but its terms cannot be read.
    #[error("the payment terms cannot be read: {0}")]
    TermsUnreadable(#[source] TermsError),
    /// No option of the terms may be paid under the policy and the budget.
    #[error("no payment option is acceptable ({0})")]
    NothingAcceptable(Refusals),
    /// Another call took the room in the budget first.
    #[error("{0}")]
    OverBudget(BudgetRefusal),
    /// A [`PaymentHook`](crate::hook::PaymentHook) said no, or nothing. Nothing is signed, and the budget has its money back.
    #[error("{0}")]
    Declined(#[source] Declined),
    /// No usable signature.
    #[error("not signed: {0}")]
    NotSigned(#[source] SigningError),
    /// A payment was signed but could not be written down, so it was not sent. The budget has its money back.
    #[error("the payment could not be recorded, so it was not sent: {0}")]
    NotRecorded(#[source] std::io::Error),
    /// A payment was signed, but no send of it can have left. The budget has its money back.
    #[error("the payment was never sent: {0}")]
    NeverSent(#[source] TransportError),
    /// The seller refused the payment.
    #[error("{0}")]
    Refused(Box<Refused>),
    /// The payer has not approved Permit2 for the token, or not for enough, so nothing can be charged.
    #[error("{0}")]
    ApprovalRequired(Box<ApprovalRequired>),
    /// The seller sent the paid request elsewhere. It was not followed.
    #[error("{0}")]
    Redirected(Box<Redirected>),
    /// The payment was sent, and nobody said what became of it.
    #[error("{0}")]
    OutcomeUnknown(Box<OutcomeUnknown>),
    /// The answer's body is not whole.
    #[error("{0}")]
    BodyCut(Box<BodyCut>),
    /// A call that would be paid from credit got no clear answer. The price was taken once or not at all: the balance tells.
    #[error("whether the call was paid from credit is unknown{}", .0.as_ref().map(|failure| format!(" (last: {failure})")).unwrap_or_default())]
    CreditUnknown(#[source] Option<TransportError>),
    /// A mistake in this crate.
    #[error("internal error: {0}")]
    Internal(&'static str),
}

/// What is wrong with a call as written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestFault {
    /// Not an absolute `https` or `http` URL.
    #[error("the URL is not an absolute http(s) URL")]
    Url,
    /// User name or password in the URL: they would end up in receipts.
    #[error("the URL holds credentials; send them in a header")]
    Credentials,
    /// Plain HTTP to another machine: whoever is on the way could change the terms.
    #[error("{origin} is not encrypted; use https, or allow plain http on the builder")]
    Insecure {
        /// The origin called.
        origin: String,
    },
    /// A header name or value that is not one.
    #[error("a header is not valid")]
    Header,
    /// The caller set a header that belongs to the payment or to the connection.
    #[error("the header {name} is set by the client")]
    ReservedHeader {
        /// Its name.
        name: String,
    },
    /// The body cannot be written as JSON.
    #[error("the body cannot be written as JSON")]
    Json,
    /// The most for this call is not an amount.
    #[error("the most for this call: {0}")]
    Max(#[source] Box<BudgetError>),
    /// The expected payee is not an address.
    #[error("the expected payee is not an address")]
    PayTo,
    /// The idempotency key is empty or longer than 256 bytes.
    #[error("the idempotency key is empty or longer than 256 bytes")]
    IdempotencyKey,
    /// The id of the purchase is not 16 to 128 of `A-Z`, `a-z`, `0-9`, `_` and `-`.
    #[error("the payment id is not 16 to 128 of A-Z, a-z, 0-9, _ and -")]
    PaymentId,
    /// An idempotency key needs a wallet with a salt: see [`crate::Wallet::with_salt`].
    #[error("an idempotency key needs a wallet with a salt")]
    WalletWithoutSalt,
}

/// A paid request that was answered with a redirect.
#[derive(Debug)]
#[non_exhaustive]
pub struct Redirected {
    /// Status of the answer.
    pub status: StatusCode,
    /// What was paid or offered.
    pub receipt: Receipt,
    /// The payment, to present it again at the same place.
    pub pending: PendingPayment,
}

impl fmt::Display for Redirected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the seller redirected a paid request ({}); payments are not carried elsewhere",
            self.status
        )
    }
}

/// A payment whose outcome is open.
#[derive(Debug)]
#[non_exhaustive]
pub struct OutcomeUnknown {
    /// What was offered.
    pub receipt: Receipt,
    /// Status of the last answer, if there was one.
    pub last_status: Option<StatusCode>,
    /// The last failure to get an answer, if that came last.
    pub last_failure: Option<TransportError>,
    /// The payment. Hand it to [`crate::Client::resume`]; a new call would sign a second payment.
    pub pending: PendingPayment,
}

impl fmt::Display for OutcomeUnknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "whether {} was paid is unknown",
            self.receipt.amount_text()
        )?;
        match (&self.last_status, &self.last_failure) {
            (_, Some(failure)) => write!(f, " (last: {failure})"),
            (Some(status), None) => write!(f, " (last: {status})"),
            (None, None) => Ok(()),
        }
    }
}

/// An answer whose body did not arrive whole. Its headers did, so the receipt is complete.
#[derive(Debug)]
#[non_exhaustive]
pub struct BodyCut {
    /// Status of the answer.
    pub status: StatusCode,
    /// What was paid; `None` if the call was free.
    pub receipt: Option<Receipt>,
    /// The bytes that arrived.
    pub partial: PartialBody,
    /// Why the rest did not.
    pub reason: CutReason,
    /// The payment, to present it again: a seller that stores answers sends the same one.
    pub pending: Option<PendingPayment>,
}

impl fmt::Display for BodyCut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the answer's body is not whole ({}, {} bytes arrived)",
            self.reason.as_str(),
            self.partial.0.len()
        )
    }
}

/// The beginning of a body. `Debug` shows only its length.
#[derive(Clone, PartialEq, Eq)]
pub struct PartialBody(pub Bytes);

impl fmt::Debug for PartialBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartialBody({} bytes)", self.0.len())
    }
}

impl Error {
    /// Stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest(fault) => fault.code(),
            Self::Unreachable(_) => "unreachable",
            Self::TermsUnreadable(_) => "terms_unreadable",
            Self::NothingAcceptable(_) => "nothing_acceptable",
            Self::OverBudget(refusal) => refusal.code(),
            Self::Declined(_) => "declined",
            Self::NotSigned(_) => "not_signed",
            Self::NotRecorded(_) => "not_recorded",
            Self::NeverSent(_) => "never_sent",
            Self::Refused(_) => "refused",
            Self::ApprovalRequired(_) => "approval_required",
            Self::Redirected(_) => "redirected",
            Self::OutcomeUnknown(_) => "outcome_unknown",
            Self::BodyCut(_) => "body_cut",
            Self::CreditUnknown(_) => "credit_unknown",
            Self::Internal(_) => "internal",
        }
    }

    /// Whether money was taken.
    pub fn charged(&self) -> Charged {
        match self {
            Self::Refused(refused) => refused.charged(),
            Self::ApprovalRequired(required) => required.charged(),
            Self::Redirected(redirected) => by_receipt(Some(&redirected.receipt)),
            Self::BodyCut(cut) => by_receipt(cut.receipt.as_ref()),
            Self::OutcomeUnknown(unknown) => by_receipt(Some(&unknown.receipt)),
            Self::CreditUnknown(_) | Self::Internal(_) => Charged::Maybe,
            _ => Charged::No,
        }
    }

    /// What to do next.
    pub fn action(&self) -> Action {
        match self {
            Self::Refused(refused) => refused.action(),
            Self::OutcomeUnknown(_) => Action::RetrySamePayment,
            Self::BodyCut(cut) if cut.pending.is_some() => Action::RetrySamePayment,
            Self::BodyCut(_) | Self::Unreachable(_) | Self::NeverSent(_) => Action::Wait,
            Self::TermsUnreadable(_) | Self::NotSigned(_) | Self::Internal(_) => Action::Stop,
            Self::InvalidRequest(_)
            | Self::NothingAcceptable(_)
            | Self::OverBudget(_)
            | Self::Declined(_)
            | Self::NotRecorded(_)
            | Self::ApprovalRequired(_)
            | Self::CreditUnknown(_)
            | Self::Redirected(_) => Action::AskHuman,
        }
    }

    /// Whether making the call again is safe and may help. Never true when money may have moved: then resume the
    /// [`Error::pending`] payment instead.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::NeverSent(_) => true,
            Self::BodyCut(cut) => {
                cut.receipt.is_none() && !matches!(cut.reason, CutReason::TooLarge)
            }
            _ => false,
        }
    }

    /// The signed payment that this error leaves open, to be presented again by [`crate::Client::resume`].
    pub fn pending(&self) -> Option<&PendingPayment> {
        match self {
            Self::Refused(refused) => Some(&refused.pending),
            Self::ApprovalRequired(required) => Some(&required.pending),
            Self::Redirected(redirected) => Some(&redirected.pending),
            Self::OutcomeUnknown(unknown) => Some(&unknown.pending),
            Self::BodyCut(cut) => cut.pending.as_ref(),
            _ => None,
        }
    }

    /// The record of the payment, if one was signed and may have been sent.
    pub fn receipt(&self) -> Option<&Receipt> {
        match self {
            Self::Refused(refused) => Some(&refused.receipt),
            Self::ApprovalRequired(required) => Some(&required.receipt),
            Self::Redirected(redirected) => Some(&redirected.receipt),
            Self::OutcomeUnknown(unknown) => Some(&unknown.receipt),
            Self::BodyCut(cut) => cut.receipt.as_ref(),
            _ => None,
        }
    }
}

impl RequestFault {
    /// Stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Url => "invalid_url",
            Self::Credentials => "credentials_in_url",
            Self::Insecure { .. } => "insecure_url",
            Self::Header => "invalid_header",
            Self::ReservedHeader { .. } => "reserved_header",
            Self::Json => "invalid_json",
            Self::Max(_) => "invalid_max",
            Self::PayTo => "invalid_pay_to",
            Self::IdempotencyKey => "invalid_idempotency_key",
            Self::PaymentId => "invalid_payment_id",
            Self::WalletWithoutSalt => "wallet_without_salt",
        }
    }
}

fn by_receipt(receipt: Option<&Receipt>) -> Charged {
    match receipt.map(|receipt| &receipt.settlement) {
        None => Charged::No,
        Some(Settlement::Settled) => Charged::Yes,
        Some(_) => Charged::Maybe,
    }
}

#[cfg(test)]
mod tests;
