//! The record the ledger keeps of one payment.

use super::key::{Fingerprint, PaymentKey};
use crate::credit::rail::CreditTerms;
use crate::facilitator::{FacilitatorRequest, PaymentRef};
use alloy_primitives::Address;
use bytes::Bytes;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use x402_model::asset::checksum;
use x402_model::evm::address::read_address;
use x402_model::money::AtomicAmount;
use x402_model::wire::SettleResponse;

/// How far a payment has come. "None" is the absence of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Verified; the handler may run, once, for the record's owner. Nothing charged.
    Reserved,
    /// The answer is stored and withheld, or is leaving while it is made; no settlement is under way. Nothing charged.
    Served,
    /// A settle call may have been sent. Durable before the call is made.
    Settling,
    /// The money moved; the answer may leave.
    Settled,
    /// Settled, and deep enough not to be watched any more.
    Final,
    /// A settle call was not answered, or a settlement vanished: only the chain can say what happened.
    Unknown,
    /// Not charged, proven by the chain (or never sent and expired). The answer is destroyed, the nonce stays taken.
    Failed,
}

impl State {
    /// Every state, in the order of a payment's life.
    pub const ALL: &'static [Self] = &[
        Self::Reserved,
        Self::Served,
        Self::Settling,
        Self::Settled,
        Self::Final,
        Self::Unknown,
        Self::Failed,
    ];

    /// A stable lower-case name for logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Served => "served",
            Self::Settling => "settling",
            Self::Settled => "settled",
            Self::Final => "final",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
        }
    }

    /// Whether the record says that the money moved, so that the stored answer may leave.
    #[must_use]
    pub const fn is_paid(self) -> bool {
        matches!(self, Self::Settled | Self::Final)
    }

    /// Whether no event can move the record any more.
    #[must_use]
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::Final | Self::Failed)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A handler's answer, kept byte for byte until it may leave and for every later presentation of the same payment.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The HTTP status code.
    pub status: u16,
    /// Header names and values in the order they were set; values need not be UTF-8.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The whole body.
    pub body: Bytes,
}

impl fmt::Debug for StoredAnswer {
    /// Shows sizes only: what was sold must not end up in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredAnswer")
            .field("status", &self.status)
            .field("headers", &self.headers.len())
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// What [`Ledger::begin`](super::Ledger::begin) needs to reserve a payment.
#[derive(Clone, Debug)]
pub struct NewPayment {
    /// The payment's identity.
    pub key: PaymentKey,
    /// The digest of the request it was presented with.
    pub fingerprint: Fingerprint,
    /// The endpoint's id.
    pub endpoint: Arc<str>,
    /// The price in the asset's smallest unit.
    pub amount: AtomicAmount,
    /// Who is paid.
    pub pay_to: Address,
    /// The authorization's `validBefore`, unix seconds.
    pub valid_before: u64,
    /// What to send to a facilitator to settle, now or after a restart.
    pub request: FacilitatorRequest,
    /// A number that identifies this attempt to run the handler; must differ between attempts and processes.
    pub owner: u64,
    /// Until when the owner may be assumed to be alive, unix milliseconds.
    pub lease_until_ms: u64,
    /// The present, unix milliseconds.
    pub now_ms: u64,
}

/// Everything known about one payment.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The payment's identity.
    pub key: PaymentKey,
    /// How far it has come.
    pub state: State,
    /// The digest of the request it was presented with.
    pub fingerprint: Fingerprint,
    /// The endpoint's id.
    pub endpoint: Arc<str>,
    /// What is due in the asset's smallest unit: the price; of a metered one what was signed, until it is metered.
    pub amount: AtomicAmount,
    /// Who is paid.
    pub pay_to: Address,
    /// The authorization's `validBefore`, unix seconds.
    pub valid_before: u64,
    /// What was verified, and what to send to a facilitator to settle: see [`Record::to_settle`]. Shared, because a record is
    /// copied at every step.
    pub request: Arc<FacilitatorRequest>,
    /// Who runs the handler or settles.
    pub owner: u64,
    /// Until when that owner may be assumed to be alive, unix milliseconds. For liveness only, never for safety.
    pub lease_until_ms: u64,
    /// The one answer that will ever be shown for this payment; absent before [`State::Served`], while it is streamed, after a
    /// stream that broke off or was too long to be kept, and after [`State::Failed`].
    pub answer: Option<Arc<StoredAnswer>>,
    /// The settlement told to the buyer; present exactly in [`State::Settled`] and [`State::Final`].
    pub settlement: Option<SettleResponse>,
    /// The last known hash of a transaction that moves, or may move, the money.
    pub transaction: Option<String>,
    /// How many settle calls ended, refused or without an answer.
    pub attempts: u32,
    /// Whether a settle call once went unanswered or a settlement vanished, so that a transfer may still land until the
    /// authorization expires. Never reset: a later refusal says nothing about the earlier call.
    pub in_doubt: bool,
    /// The code of the last refusal by a facilitator.
    pub refusal: Option<String>,
    /// When it was reserved, unix milliseconds.
    pub created_ms: u64,
    /// When it last moved or was last looked at by the resolver, unix milliseconds.
    pub updated_ms: u64,
}

impl Record {
    /// This payment settled by `transaction`, as the buyer is told: our own words, never a facilitator's.
    pub(crate) fn settlement_in(&self, transaction: &str) -> SettleResponse {
        SettleResponse {
            success: true,
            transaction: transaction.to_owned(),
            network: self.key.network.to_string(),
            payer: Some(checksum(self.key.payer)),
            amount: self.told_amount(),
            ..SettleResponse::default()
        }
    }

    /// The amount as a settlement tells it: only where it was metered, since buyers know any other.
    fn told_amount(&self) -> Option<String> {
        self.request.is_metered().then(|| self.amount.to_string())
    }

    /// The most that the payer signed, if that can be read from the terms.
    #[must_use]
    pub fn ceiling(&self) -> Option<AtomicAmount> {
        self.request.amount()
    }

    /// What to send to a facilitator to settle: what was verified, for the amount that is due.
    #[must_use]
    pub fn to_settle(&self) -> Cow<'_, FacilitatorRequest> {
        let by_amount = self.request.is_metered() || CreditTerms::of(&self.request).is_some();
        if by_amount {
            Cow::Owned(self.request.for_amount(self.amount))
        } else {
            Cow::Borrowed(&self.request)
        }
    }

    /// Whether its answer is leaving while it is made, or was when its owner went away.
    #[must_use]
    pub fn is_streaming(&self) -> bool {
        self.state == State::Served && self.answer.is_none() && self.attempts == 0 && !self.in_doubt
    }

    /// A recorded settlement as the buyer is told: itself when it is in our own words (which saves working out a checksum), else
    /// its transaction in our own words.
    pub(crate) fn told<'a>(&self, recorded: &'a SettleResponse) -> Cow<'a, SettleResponse> {
        if let SettleResponse {
            success: true,
            error_reason: None,
            error_message: None,
            payer: Some(payer),
            transaction: _,
            network,
            amount,
            extensions: None,
            extra: None,
        } = recorded
            && *amount == self.told_amount()
            && read_address(payer) == Some(self.key.payer)
            && *network == self.key.network.to_string()
        {
            return Cow::Borrowed(recorded);
        }
        Cow::Owned(self.settlement_in(&recorded.transaction))
    }

    /// The record a reservation creates.
    #[must_use]
    pub fn reserve(new: NewPayment) -> Self {
        Self {
            key: new.key,
            state: State::Reserved,
            fingerprint: new.fingerprint,
            endpoint: new.endpoint,
            amount: new.amount,
            pay_to: new.pay_to,
            valid_before: new.valid_before,
            request: Arc::new(new.request),
            owner: new.owner,
            lease_until_ms: new.lease_until_ms,
            answer: None,
            settlement: None,
            transaction: None,
            attempts: 0,
            in_doubt: false,
            refusal: None,
            created_ms: new.now_ms,
            updated_ms: new.now_ms,
        }
    }

    /// The record as [`Ledger::due`](super::Ledger::due) gives it out.
    #[must_use]
    pub fn without_answer(&self) -> Self {
        Self {
            answer: None,
            ..self.clone()
        }
    }

    /// From when on the resolver must look at the record, unix milliseconds; `None` when it is closed.
    ///
    /// A record that was looked at without moving (see [`Event::Evidence`](super::Event::Evidence)) goes to the back of the
    /// queue, because its `updated_ms` changed.
    #[must_use]
    pub fn due_ms(&self) -> Option<u64> {
        match self.state {
            State::Reserved | State::Settling => Some(self.lease_until_ms),
            // Refused by a facilitator: only the buyer may ask for another attempt, the background waits for the end.
            State::Served if self.attempts > 0 => Some(
                self.valid_before
                    .saturating_add(1)
                    .saturating_mul(1000)
                    .max(self.updated_ms),
            ),
            State::Served => Some(self.lease_until_ms.max(self.updated_ms)),
            State::Unknown | State::Settled => Some(self.updated_ms),
            State::Final | State::Failed => None,
        }
    }

    /// From when on nothing can happen to the record any more, unix milliseconds: closed and its authorization expired.
    ///
    /// [`Ledger::purge`](super::Ledger::purge) removes records for which this lies before the given time.
    #[must_use]
    pub fn closed_ms(&self) -> Option<u64> {
        self.state
            .is_closed()
            .then(|| self.updated_ms.max(self.valid_before.saturating_mul(1000)))
    }

    /// What a facilitator needs to look this payment up on the chain.
    #[must_use]
    pub fn payment_ref(&self) -> PaymentRef {
        PaymentRef {
            network: self.key.network.clone(),
            asset: self.key.asset,
            payer: self.key.payer,
            nonce: self.key.nonce,
            pay_to: self.pay_to,
            amount: self.amount,
            valid_before: self.valid_before,
            transaction: self.transaction.clone(),
            since_ms: self.created_ms,
        }
    }
}
