//! The codes and the questions that each of them answers.

use core::fmt;

use serde::{Serialize, Serializer};

use super::table::Entry;

/// Whether the refused request cost the buyer money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Charged {
    /// Certainly not.
    No,
    /// Yes: the money has moved.
    Yes,
    /// Not known yet: the payment may still move.
    Maybe,
}

impl Serialize for Charged {
    /// `true`, `false` or `"maybe"`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::No => serializer.serialize_bool(false),
            Self::Yes => serializer.serialize_bool(true),
            Self::Maybe => serializer.serialize_str("maybe"),
        }
    }
}

/// What the buyer should do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Pay by the terms of this answer.
    Pay,
    /// Correct the payment and sign it again; sending it unchanged fails again.
    FixPayment,
    /// Correct the request; sending it unchanged fails again.
    FixRequest,
    /// Send the same request again later.
    Wait,
    /// Send the same request with the very same payment again: it is never charged twice.
    RetrySamePayment,
    /// Sign a new payment and send it.
    NewPayment,
    /// Give up: nothing the buyer can do helps.
    Stop,
    /// Let a person decide: money or permission is missing.
    AskHuman,
}

impl Action {
    /// The action on the wire. The words are those of the price manifest; its "id" is the payment that is presented.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pay => "pay",
            Self::FixPayment => "fix-payment",
            Self::FixRequest => "fix-request",
            Self::Wait => "wait",
            Self::RetrySamePayment => "retry-same-id",
            Self::NewPayment => "new-id",
            Self::Stop => "stop",
            Self::AskHuman => "ask-human",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Every refusal, by a code that never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ProblemCode {
            $($(#[doc = $doc])+ $name,)+
        }

        impl ProblemCode {
            /// Every code, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$name,)+];
        }
    };
}

codes! {
    /// No payment came with the request.
    PaymentRequired,
    /// The payment header is not base64 of JSON of the right shape.
    PaymentUndecodable,
    /// The payment header is longer than the seller reads.
    PaymentTooLarge,
    /// More than one payment header.
    DuplicatePaymentHeader,
    /// A protocol version the seller does not speak.
    UnsupportedVersion,
    /// A payment scheme the seller does not take.
    UnsupportedScheme,
    /// The payment accepts terms that the seller does not offer.
    NoMatchingRequirements,
    /// The terms were told to another payer.
    QuotedToAnotherPayer,
    /// The payment does not repeat an extension as it was advertised.
    ExtensionEchoMismatch,
    /// The seller demands an id for the purchase and the payment has none.
    PaymentIdMissing,
    /// The id of the purchase is not one.
    PaymentIdMalformed,
    /// The id was used for a purchase with another request.
    PaymentIdReused,
    /// The payload inside the payment has the wrong shape.
    PayloadMalformed,
    /// The signature does not belong to the payer.
    InvalidSignature,
    /// The money goes to someone else.
    RecipientMismatch,
    /// The payment is no longer valid, or not for long enough.
    ValidBefore,
    /// The payment is not valid yet.
    ValidAfter,
    /// The payment is valid for longer than the terms allow.
    ValidityTooLong,
    /// The amount is not the price.
    ValueMismatch,
    /// The payment is for another network.
    NetworkMismatch,
    /// The terms lack the EIP-712 domain of the token.
    MissingEip712Domain,
    /// The payment was used or cancelled on the chain before.
    NonceAlreadyUsed,
    /// The payer has too little money.
    InsufficientBalance,
    /// The payer has not approved Permit2 for the token.
    Permit2AllowanceRequired,
    /// The token takes no EIP-3009 transfers.
    Eip3009NotSupported,
    /// The token's EIP-712 name is another one.
    TokenNameMismatch,
    /// The token's EIP-712 version is another one.
    TokenVersionMismatch,
    /// A trial run of the transfer failed.
    SimulationFailed,
    /// The transfer was sent and failed on the chain.
    TransactionFailed,
    /// The transaction went through without the right transfer.
    TransferEventMismatch,
    /// There is no contract at the token's address.
    AssetNotContract,
    /// The payer's wallet would have to be deployed by a factory the seller does not know.
    Eip6492FactoryNotAllowed,
    /// The facilitator called the payment invalid for a reason of its own.
    PaymentInvalid,
    /// The seller does not take this payment, by a rule of its own.
    RefusedBySeller,
    /// The seller cannot tell now whether it takes the payment.
    SellerCheckFailed,
    /// The terms of the payment ran out before it was settled.
    PaymentExpired,
    /// Another request with the same payment is being served.
    PaymentInProgress,
    /// The payment belongs to another request.
    PaymentReusedForOtherRequest,
    /// The settlement is under way or its outcome is unknown.
    SettlementPending,
    /// The facilitator refused to settle.
    SettlementRefused,
    /// The payer cancelled the payment on the chain.
    PaymentCancelled,
    /// The settled payment's answer is no longer kept.
    AnswerGone,
    /// The request body is longer than the seller reads.
    BodyTooLarge,
    /// The request body came too slowly.
    BodyTimeout,
    /// The connection broke while the request body was read.
    BodyUnreadable,
    /// The request has no price: what decides about it is missing or not listed.
    PriceUndetermined,
    /// The seller cannot tell the price of the request now.
    PriceUnavailable,
    /// The handler took too long.
    HandlerTimeout,
    /// The handler crashed.
    HandlerPanicked,
    /// The handler did not tell what the call used.
    UsageUnmetered,
    /// The handler's answer is longer than the seller keeps.
    AnswerTooLarge,
    /// The ledger of payments cannot be reached.
    LedgerUnavailable,
    /// The facilitator cannot be reached or answers nonsense.
    FacilitatorUnavailable,
    /// The seller is shutting down.
    ShuttingDown,
    /// The seller has too much to do.
    Overloaded,
    /// The seller made a mistake.
    Internal,
}

impl ProblemCode {
    /// The stable code in snake case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.entry().code
    }

    /// The code with this text.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|problem| problem.as_str() == code)
    }

    /// The HTTP status of the answer.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        self.entry().status
    }

    /// Whether the request cost money.
    #[must_use]
    pub const fn charged(self) -> Charged {
        self.entry().charged
    }

    /// What the buyer should do next.
    #[must_use]
    pub const fn action(self) -> Action {
        self.entry().action
    }

    /// Seconds to wait before trying again (`Retry-After`), where waiting helps.
    #[must_use]
    pub const fn retry_after(self) -> Option<u32> {
        self.entry().retry_after
    }

    /// The reason code of the protocol (`invalidReason`, `errorReason`, `error`), where it has one.
    #[must_use]
    pub const fn reason(self) -> Option<&'static str> {
        self.entry().reason
    }

    /// The code for a reason of the protocol; `None` for reasons this crate gives no meaning of its own.
    ///
    /// Facilitators add reasons freely and append text to them, so an unknown reason is no error.
    ///
    /// ```
    /// # use x402_model::problem::ProblemCode;
    /// let code = ProblemCode::from_reason("invalid_exact_evm_nonce_already_used");
    /// assert_eq!(code, Some(ProblemCode::NonceAlreadyUsed));
    /// assert_eq!(ProblemCode::from_reason("something_new"), None);
    /// ```
    #[must_use]
    pub fn from_reason(reason: &str) -> Option<Self> {
        super::table::from_reason(reason)
    }

    /// What happened and what to do, in a sentence or two for people.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        self.entry().detail
    }

    const fn entry(self) -> Entry {
        super::table::entry(self)
    }
}

impl fmt::Display for ProblemCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for ProblemCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
