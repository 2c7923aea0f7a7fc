//! The one table behind [`ProblemCode`]: nothing else decides what a refusal says.

use super::code::{Action, Charged, ProblemCode};
use crate::evm::reason;

/// What one code stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) code: &'static str,
    pub(super) status: u16,
    pub(super) charged: Charged,
    pub(super) action: Action,
    pub(super) retry_after: Option<u32>,
    pub(super) reason: Option<&'static str>,
    pub(super) detail: &'static str,
}

/// Reasons that other packages use for what this crate calls by another reason.
const OTHER_REASONS: &[(&str, ProblemCode)] = &[
    ("insufficient_funds", ProblemCode::InsufficientBalance),
    (
        "invalid_exact_evm_authorization_value",
        ProblemCode::ValueMismatch,
    ),
    (
        "invalid_exact_evm_payload_authorization_value",
        ProblemCode::ValueMismatch,
    ),
    (
        "invalid_exact_evm_payload_signature",
        ProblemCode::InvalidSignature,
    ),
    (
        "invalid_exact_evm_failed_to_parse_signature",
        ProblemCode::InvalidSignature,
    ),
    (
        "invalid_exact_evm_payload_recipient_mismatch",
        ProblemCode::RecipientMismatch,
    ),
    ("invalid_network", ProblemCode::NetworkMismatch),
    ("invalid_scheme", ProblemCode::UnsupportedScheme),
    ("unsupported_scheme", ProblemCode::UnsupportedScheme),
    ("unsupported_payload_type", ProblemCode::PayloadMalformed),
    (reason::UPTO_SCHEME, ProblemCode::UnsupportedScheme),
    (reason::UPTO_NETWORK_MISMATCH, ProblemCode::NetworkMismatch),
    (reason::PERMIT2_SIGNATURE, ProblemCode::InvalidSignature),
    (
        reason::PERMIT2_RECIPIENT_MISMATCH,
        ProblemCode::RecipientMismatch,
    ),
    (reason::PERMIT2_DEADLINE_EXPIRED, ProblemCode::ValidBefore),
    (reason::PERMIT2_NOT_YET_VALID, ProblemCode::ValidAfter),
    (reason::PERMIT2_PAYMENT_TOO_EARLY, ProblemCode::ValidAfter),
    (reason::PERMIT2_AMOUNT_MISMATCH, ProblemCode::ValueMismatch),
    (reason::PERMIT2_INVALID_NONCE, ProblemCode::NonceAlreadyUsed),
    (
        reason::PERMIT2_INSUFFICIENT_BALANCE,
        ProblemCode::InsufficientBalance,
    ),
    (
        reason::PERMIT2_SIMULATION_FAILED,
        ProblemCode::SimulationFailed,
    ),
    (
        reason::UPTO_TRANSACTION_FAILED,
        ProblemCode::TransactionFailed,
    ),
    (
        "invalid_payment_requirements",
        ProblemCode::NoMatchingRequirements,
    ),
    (
        "Unable to find matching payment requirements",
        ProblemCode::NoMatchingRequirements,
    ),
    ("invalid_x402_version", ProblemCode::UnsupportedVersion),
    ("X-PAYMENT header is required", ProblemCode::PaymentRequired),
];

/// The code of a reason, which facilitators may continue with `: ` and text of their own.
pub(super) fn from_reason(reason: &str) -> Option<ProblemCode> {
    let is = |known: &str| {
        reason
            .strip_prefix(known)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    };
    let own = ProblemCode::ALL
        .iter()
        .copied()
        .find(|code| code.reason().is_some_and(is));
    own.or_else(|| {
        OTHER_REASONS
            .iter()
            .find(|(known, _)| is(known))
            .map(|(_, code)| *code)
    })
}

macro_rules! table {
    ($($name:ident: $code:literal, $status:literal, $charged:ident, $action:ident, $retry_after:expr, $reason:expr, $detail:literal;)+) => {
        /// The entry of a code.
        pub(super) const fn entry(code: ProblemCode) -> Entry {
            match code {
                $(ProblemCode::$name => Entry {
                    code: $code,
                    status: $status,
                    charged: Charged::$charged,
                    action: Action::$action,
                    retry_after: $retry_after,
                    reason: $reason,
                    detail: $detail,
                },)+
            }
        }
    };
}

// Columns: code, HTTP status, charged, action, seconds until a retry makes sense, reason on the wire, sentence.
#[rustfmt::skip]
table! {
    PaymentRequired: "payment_required", 402, No, Pay, None, Some("Payment required"),
        "This call costs money. Pay by one of the offered terms and send the request again with the payment.";
    // Answered like a missing payment, since that is what buyers act on; the code tells the difference.
    PaymentUndecodable: "payment_undecodable", 402, No, FixPayment, None, Some("Payment required"),
        "The payment header is not base64 of a JSON payment, so it was not read. Build it again from the offered terms.";
    PaymentTooLarge: "payment_too_large", 431, No, FixPayment, None, None,
        "The payment header is longer than this server reads. Leave out what the terms did not ask for.";
    DuplicatePaymentHeader: "duplicate_payment_header", 400, No, FixRequest, None, None,
        "The request carries more than one payment header, so none was used. Send exactly one.";
    UnsupportedVersion: "unsupported_version", 402, No, FixPayment, None, Some("Unsupported x402 version"),
        "The payment is of an x402 version that this server does not speak. Pay by the version of the offered terms.";
    UnsupportedScheme: "unsupported_scheme", 402, No, FixPayment, None, Some("invalid_exact_evm_scheme"),
        "The payment uses a scheme that is not offered. Pay by one of the offered terms.";
    NoMatchingRequirements: "no_matching_requirements", 402, No, FixPayment, None, Some("No matching payment requirements"),
        "The payment accepts terms that are not offered, or no longer. Choose one of the offered entries and repeat it unchanged.";
    QuotedToAnotherPayer: "quoted_to_another_payer", 402, No, FixPayment, None, Some("quoted_to_another_payer"),
        "The payment accepts a price that was told to another payer, who alone may pay it. Pay by the terms of this answer, or sign in with the account that pays.";
    ExtensionEchoMismatch: "extension_echo_mismatch", 402, No, FixPayment, None, Some("extension_echo_mismatch"),
        "The payment does not repeat the extensions of the terms as they were sent. Copy them unchanged.";
    PaymentIdMissing: "payment_id_missing", 400, No, FixPayment, None, None,
        "This endpoint asks for an id of your own for the purchase: add `id` to the info of the payment-identifier extension and send the payment again.";
    PaymentIdMalformed: "payment_id_malformed", 400, No, FixPayment, None, None,
        "The id in the payment-identifier extension is not one: it takes 16 to 128 of A-Z, a-z, 0-9, _ and -. Send the payment again with such an id.";
    PaymentIdReused: "payment_id_reused", 409, No, NewPayment, None, None,
        "Your id was used for a request with another method, path, query or body. Give every purchase an id of its own; this payment was not used.";
    PayloadMalformed: "payload_malformed", 402, No, FixPayment, None, Some("invalid_payload"),
        "The payload inside the payment is not an authorization with its signature of the kind that the terms ask for. Build it as their scheme demands.";
    InvalidSignature: "invalid_signature", 402, No, FixPayment, None, Some("invalid_exact_evm_signature"),
        "The signature was not made by the payer over this authorization. Sign the authorization with the payer's key and the token's EIP-712 domain.";
    RecipientMismatch: "recipient_mismatch", 402, No, FixPayment, None, Some("invalid_exact_evm_recipient_mismatch"),
        "The authorization pays someone else. Sign one to the `payTo` of the terms.";
    ValidBefore: "authorization_expired", 402, No, NewPayment, None, Some("invalid_exact_evm_payload_authorization_valid_before"),
        "The authorization has expired or expires too soon to be settled. Sign a new one; check the clock if this happens again.";
    ValidAfter: "authorization_not_yet_valid", 402, No, FixPayment, None, Some("invalid_exact_evm_payload_authorization_valid_after"),
        "The authorization is not valid yet. Sign one whose `validAfter` has passed; 0 always has.";
    // No reason of the protocol fits exactly; this one makes buyers sign again with the window of the terms.
    ValidityTooLong: "validity_too_long", 402, No, FixPayment, None, Some("invalid_exact_evm_payload_authorization_valid_before"),
        "The authorization is valid for longer than the terms allow. Sign one that ends within `maxTimeoutSeconds` from now.";
    ValueMismatch: "value_mismatch", 402, No, FixPayment, None, Some("invalid_exact_evm_payload_authorization_value_mismatch"),
        "The authorization is not for the amount of the terms. Sign exactly that amount.";
    NetworkMismatch: "network_mismatch", 402, No, FixPayment, None, Some("invalid_exact_evm_network_mismatch"),
        "The payment is for another network than the terms. Pay on a network that is offered.";
    MissingEip712Domain: "missing_eip712_domain", 402, No, Stop, None, Some("invalid_exact_evm_missing_eip712_domain"),
        "The terms lack the name and version of the token's EIP-712 domain. This is the seller's mistake: choose other terms or tell the seller.";
    NonceAlreadyUsed: "nonce_already_used", 402, No, NewPayment, None, Some("invalid_exact_evm_nonce_already_used"),
        "This authorization was used or cancelled on the chain before, so it cannot pay for this request. Sign a new one with a fresh nonce.";
    InsufficientBalance: "insufficient_balance", 402, No, AskHuman, None, Some("invalid_exact_evm_insufficient_balance"),
        "The payer does not hold enough of the token. Add money or pay with another token that is offered.";
    // 412 is the one status besides 402 that the protocol gives to a refused payment: paying again does not help.
    Permit2AllowanceRequired: "permit2_allowance_required", 412, No, AskHuman, None, Some("permit2_allowance_required"),
        "The payer has not approved the Permit2 contract for this token, or not for enough. Approve it once, send an approval along if the terms offer gas sponsoring, or pay by other terms.";
    Eip3009NotSupported: "eip3009_not_supported", 402, No, Stop, None, Some("invalid_exact_evm_eip3009_not_supported"),
        "The token of the terms does not take signed transfers. This is the seller's mistake: choose other terms or tell the seller.";
    TokenNameMismatch: "token_name_mismatch", 402, No, Stop, None, Some("invalid_exact_evm_token_name_mismatch"),
        "The terms name the token differently from its contract, so no signature can be valid. Choose other terms or tell the seller.";
    TokenVersionMismatch: "token_version_mismatch", 402, No, Stop, None, Some("invalid_exact_evm_token_version_mismatch"),
        "The terms give another token version than its contract, so no signature can be valid. Choose other terms or tell the seller.";
    SimulationFailed: "simulation_failed", 402, No, AskHuman, None, Some("invalid_exact_evm_transaction_simulation_failed"),
        "The token would refuse this transfer, though the payment looks right: the account may be blocked or the token paused. Nothing was sent.";
    TransactionFailed: "transaction_failed", 402, No, RetrySamePayment, None, Some("invalid_exact_evm_transaction_failed"),
        "The transfer was sent but failed on the chain, so no money moved. Send the request again with the same payment.";
    TransferEventMismatch: "transfer_event_mismatch", 402, Maybe, AskHuman, None, Some("invalid_exact_evm_transfer_event_mismatch"),
        "The transaction went through, but the token did not report the transfer that was signed. Look at the transaction before paying again.";
    AssetNotContract: "asset_not_contract", 402, No, Stop, None, Some("asset_not_deployed_contract"),
        "There is no contract at the token address of the terms. This is the seller's mistake: choose other terms or tell the seller.";
    Eip6492FactoryNotAllowed: "eip6492_factory_not_allowed", 402, No, FixPayment, None, Some("eip6492_factory_not_allowed"),
        "The paying wallet is not deployed yet, and its factory is not known here. Deploy the wallet first or pay from another one.";
    PaymentInvalid: "payment_invalid", 402, No, FixPayment, None, Some("invalid_payment"),
        "The payment was found invalid. Build a new one from the offered terms.";
    RefusedBySeller: "refused_by_seller", 403, No, Stop, None, None,
        "The seller does not take this payment, by a rule of its own, so nothing was charged. `reason` and `explanation` are the seller's.";
    SellerCheckFailed: "seller_check_failed", 503, No, Wait, Some(5), None,
        "The seller cannot tell right now whether it takes this payment, so nothing was charged. Send the same request again later.";
    PaymentExpired: "payment_expired", 402, No, NewPayment, None, Some("payment_expired"),
        "The payment expired before it was settled, so it can no longer be charged. Sign a new one.";
    PaymentInProgress: "payment_in_progress", 409, Maybe, RetrySamePayment, Some(1), None,
        "A request with this payment is being served right now. Send the same request with the same payment again shortly to get its answer; it is charged once.";
    PaymentReusedForOtherRequest: "payment_reused_for_other_request", 409, No, NewPayment, None, None,
        "This payment belongs to a request with another method, path, query or body. Sign a new payment for this one.";
    SettlementPending: "settlement_pending", 503, Maybe, RetrySamePayment, Some(2), Some("settlement_pending"),
        "The payment was sent to be settled and its outcome is not known yet. Send the same request with the same payment again; it is charged once. Do not sign a new payment before this one has expired.";
    SettlementRefused: "settlement_refused", 402, No, RetrySamePayment, None, Some("settlement_refused"),
        "The settlement was refused and no money moved. Send the request again with the same payment; it may still be settled until it expires.";
    PaymentCancelled: "payment_cancelled", 402, No, NewPayment, None, Some("payment_cancelled"),
        "The payer cancelled this authorization on the chain, so nothing was charged. Sign a new payment.";
    AnswerGone: "answer_gone", 410, Yes, AskHuman, None, None,
        "This payment was settled and its answer is no longer kept. Ask the seller, showing the transaction.";
    BodyTooLarge: "body_too_large", 413, No, FixRequest, None, None,
        "The request body is longer than this endpoint reads. Send a shorter one; the payment was not used.";
    BodyTimeout: "body_timeout", 408, Maybe, RetrySamePayment, None, None,
        "The request body came too slowly, so this request used no payment; an earlier one may have. Send it again with the same payment.";
    BodyUnreadable: "body_unreadable", 400, Maybe, RetrySamePayment, None, None,
        "The request body broke off, so this request used no payment; an earlier one may have. Send it again with the same payment.";
    PriceUndetermined: "price_undetermined", 400, No, FixRequest, None, None,
        "The price depends on a part of this request that is missing or has no price, so no payment was used. Correct the request as `explanation` says.";
    PriceUnavailable: "price_unavailable", 503, No, Wait, Some(5), None,
        "The server cannot tell the price of this request right now, so no payment was used. Send the request again later.";
    HandlerTimeout: "handler_timeout", 504, No, RetrySamePayment, None, None,
        "The answer took too long, so nothing was charged. Send the request again with the same payment.";
    HandlerPanicked: "handler_panicked", 500, No, RetrySamePayment, None, None,
        "The server failed while it made the answer, so nothing was charged. Send the request again with the same payment.";
    UsageUnmetered: "usage_unmetered", 500, No, Stop, None, None,
        "The server did not tell what this call used, so nothing was charged. This is the seller's mistake: tell the seller.";
    AnswerTooLarge: "answer_too_large", 500, No, Stop, None, None,
        "The answer is longer than this server can hold back until it is paid, so nothing was charged. Tell the seller.";
    LedgerUnavailable: "ledger_unavailable", 503, Maybe, RetrySamePayment, Some(5), None,
        "The server cannot read its record of payments right now, so it took none; an earlier request may have. Send the request again later with the same payment.";
    FacilitatorUnavailable: "facilitator_unavailable", 503, No, Wait, Some(5), None,
        "The service that checks payments does not answer, so nothing was charged. Send the same request again later.";
    ShuttingDown: "shutting_down", 503, Maybe, RetrySamePayment, Some(5), None,
        "The server is shutting down and took no payment; an earlier request may have. Send the request again later with the same payment.";
    Overloaded: "overloaded", 503, Maybe, RetrySamePayment, Some(2), None,
        "The server has too much to do and took no payment; an earlier request may have. Send the request again later with the same payment.";
    Internal: "internal", 500, Maybe, RetrySamePayment, None, None,
        "The server made a mistake. Send the request again with the same payment, which is charged once at most.";
}
