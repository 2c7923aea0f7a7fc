//! What can happen to a payment.

use super::record::StoredAnswer;
use crate::facilitator::Evidence;
use std::sync::Arc;
use x402_model::money::AtomicAmount;
use x402_model::wire::SettleResponse;

/// Something that happened to a payment. [`step`](super::step) says in which states it may.
#[derive(Clone, Debug)]
pub enum Event {
    /// The handler answered ≥ 400, panicked or timed out, or its streamed answer broke off: the reservation is dropped and the
    /// payment is free again. Only the owner may say so.
    HandlerFailed {
        /// The owner given at [`begin`](super::Ledger::begin).
        owner: u64,
    },
    /// The owner's lease ended: a reservation is dropped, a settlement under way becomes unknown.
    LeaseOver {
        /// The present, unix milliseconds; refused unless it is past the record's lease.
        now_ms: u64,
    },
    /// The handler answered: the answer is stored. Only the owner may, and only once.
    Answered {
        /// The owner given at [`begin`](super::Ledger::begin).
        owner: u64,
        /// What will be shown once the money moved.
        answer: Arc<StoredAnswer>,
        /// What was metered, at most what was signed; none where the price was known beforehand.
        charge: Option<AtomicAmount>,
    },
    /// An answer is leaving while it is made: from now on, what was metered is due though no answer is stored. Said before its
    /// first byte leaves and now and then afterwards, so that a crash loses little of it.
    Metered {
        /// The owner given at [`begin`](super::Ledger::begin).
        owner: u64,
        /// What was metered so far, at most what was signed.
        charge: AtomicAmount,
        /// Until when the owner may be assumed to be alive, unix milliseconds.
        lease_until_ms: u64,
    },
    /// Nothing was metered, so nothing is settled: the authorization stays unused until it expires.
    Waived,
    /// A settle call is about to be made. Durable when the ledger returns; call the facilitator only after that.
    Intend {
        /// Who makes the call; becomes the record's owner.
        owner: u64,
        /// Until when that owner may be assumed to be alive, unix milliseconds.
        lease_until_ms: u64,
    },
    /// A facilitator says that the money moved, and in which transaction.
    Settled {
        /// Its answer; refused unless `success` is true and `transaction` is not empty.
        response: SettleResponse,
    },
    /// A facilitator says that nothing moved and nothing is in flight. The answer is kept; only a new presentation of the
    /// payment settles again.
    Refused {
        /// The wire code of the refusal.
        code: String,
    },
    /// A settle call was not answered, or the answer leaves open whether money moved.
    Unanswered {
        /// The hash of the transaction, if one is known.
        transaction: Option<String>,
    },
    /// What the chain says. Evidence that decides nothing only marks the record as looked at.
    Evidence(Evidence),
    /// The settlement is deep enough.
    Finalised,
    /// The settlement's receipt vanished from the chain (reorg).
    ReceiptGone,
    /// The authorization expired before it was ever sent, or after every settle call was refused.
    ///
    /// Somebody else may have sent a payer's authorization. Where the chain can be asked, present its
    /// [`Event::Evidence`] instead, which covers expiry too.
    Expired,
}

impl Event {
    /// The handler answered.
    pub(crate) fn answered(owner: u64, answer: StoredAnswer, charge: Option<AtomicAmount>) -> Self {
        Self::Answered {
            owner,
            answer: Arc::new(answer),
            charge,
        }
    }

    /// A stable lower-case name for logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::HandlerFailed { .. } => "handler_failed",
            Self::LeaseOver { .. } => "lease_over",
            Self::Answered { .. } => "answered",
            Self::Metered { .. } => "metered",
            Self::Waived => "waived",
            Self::Intend { .. } => "intend",
            Self::Settled { .. } => "settled",
            Self::Refused { .. } => "refused",
            Self::Unanswered { .. } => "unanswered",
            Self::Evidence(_) => "evidence",
            Self::Finalised => "finalised",
            Self::ReceiptGone => "receipt_gone",
            Self::Expired => "expired",
        }
    }
}
