//! The reason codes that verification and settlement answer with (protocol 1.11).

use std::fmt;

use crate::evm::chain::ChainError;

pub(crate) const SCHEME: &str = "invalid_exact_evm_scheme";
pub(crate) const MISSING_DOMAIN: &str = "invalid_exact_evm_missing_eip712_domain";
pub(crate) const NETWORK_MISMATCH: &str = "invalid_exact_evm_network_mismatch";
pub(crate) const FACTORY_NOT_ALLOWED: &str = "eip6492_factory_not_allowed";
pub(crate) const SIGNATURE: &str = "invalid_exact_evm_signature";
pub(crate) const RECIPIENT_MISMATCH: &str = "invalid_exact_evm_recipient_mismatch";
pub(crate) const VALID_BEFORE: &str = "invalid_exact_evm_payload_authorization_valid_before";
pub(crate) const VALID_AFTER: &str = "invalid_exact_evm_payload_authorization_valid_after";
pub(crate) const VALUE_MISMATCH: &str = "invalid_exact_evm_payload_authorization_value_mismatch";
/// Version 1 has its own word for a wrong value.
pub(crate) const VALUE_MISMATCH_V1: &str = "invalid_exact_evm_authorization_value";
pub(crate) const ASSET_NOT_CONTRACT: &str = "asset_not_deployed_contract";
pub(crate) const EIP3009_NOT_SUPPORTED: &str = "invalid_exact_evm_eip3009_not_supported";
pub(crate) const NONCE_ALREADY_USED: &str = "invalid_exact_evm_nonce_already_used";
pub(crate) const TOKEN_NAME_MISMATCH: &str = "invalid_exact_evm_token_name_mismatch";
pub(crate) const TOKEN_VERSION_MISMATCH: &str = "invalid_exact_evm_token_version_mismatch";
pub(crate) const INSUFFICIENT_BALANCE: &str = "invalid_exact_evm_insufficient_balance";
pub(crate) const SIMULATION_FAILED: &str = "invalid_exact_evm_transaction_simulation_failed";
pub(crate) const TRANSACTION_FAILED: &str = "invalid_exact_evm_transaction_failed";
pub(crate) const TRANSFER_EVENT_MISMATCH: &str = "invalid_exact_evm_transfer_event_mismatch";
pub(crate) const WALLET_DEPLOYMENT_FAILED: &str = "smart_wallet_deployment_failed";
pub(crate) const UNSUPPORTED_PAYLOAD: &str = "unsupported_payload_type";
pub(crate) const INVALID_VERSION: &str = "invalid_x402_version";
pub(crate) const INVALID_NETWORK: &str = "invalid_network";
pub(crate) const INVALID_PAYLOAD: &str = "invalid_payload";
pub(crate) const INVALID_REQUIREMENTS: &str = "invalid_payment_requirements";
pub(crate) use x402_model::evm::reason::{
    ERC20_APPROVAL_BROADCAST_FAILED, ERC20_APPROVAL_TX_FAILED, PERMIT2_2612_AMOUNT_MISMATCH,
    PERMIT2_ALLOWANCE_REQUIRED, PERMIT2_AMOUNT_MISMATCH, PERMIT2_DEADLINE_EXPIRED,
    PERMIT2_INSUFFICIENT_BALANCE, PERMIT2_INVALID_AMOUNT, PERMIT2_INVALID_DESTINATION,
    PERMIT2_INVALID_NONCE, PERMIT2_INVALID_OWNER, PERMIT2_NOT_YET_VALID, PERMIT2_PAYMENT_TOO_EARLY,
    PERMIT2_PROXY_NOT_DEPLOYED, PERMIT2_RECIPIENT_MISMATCH, PERMIT2_SIGNATURE,
    PERMIT2_SIMULATION_FAILED, PERMIT2_SPENDER, PERMIT2_TOKEN_MISMATCH,
    UPTO_AMOUNT_EXCEEDS_PERMITTED, UPTO_FACILITATOR_MISMATCH, UPTO_NETWORK_MISMATCH, UPTO_SCHEME,
    UPTO_SETTLEMENT_EXCEEDS_AMOUNT, UPTO_TRANSACTION_FAILED, UPTO_UNAUTHORIZED_FACILITATOR,
};

pub(crate) use super::codes::{
    BELOW_MINIMUM, FEE_ABOVE_CAP, FEE_BUDGET_SPENT, GAS_ABOVE_CAP, SETTLER_FUNDS,
};

/// A definite no, with nothing in flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The code for the wire.
    pub(crate) reason: &'static str,
    /// Words for the log.
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.message)
    }
}

/// Why a check did not end in a yes.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The payment is not good.
    Refused(Refusal),
    /// The chain gave no clear answer, so nothing is known about the payment.
    Chain(ChainError),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ChainError> for Stop {
    fn from(error: ChainError) -> Self {
        Self::Chain(error)
    }
}

/// Ends a check with a code.
pub(crate) fn refuse<T>(reason: &'static str, message: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Refused(Refusal::new(reason, message)))
}

/// The code that an error of Permit2 or of a proxy stands for, by its name.
pub(crate) fn from_permit2_error(name: &str) -> Option<&'static str> {
    Some(match name {
        "Permit2612AmountMismatch" => PERMIT2_2612_AMOUNT_MISMATCH,
        "InvalidAmount" => PERMIT2_INVALID_AMOUNT,
        "InvalidDestination" => PERMIT2_INVALID_DESTINATION,
        "InvalidOwner" => PERMIT2_INVALID_OWNER,
        "PaymentTooEarly" => PERMIT2_PAYMENT_TOO_EARLY,
        "InvalidNonce" => PERMIT2_INVALID_NONCE,
        "SignatureExpired" => PERMIT2_DEADLINE_EXPIRED,
        "InvalidSignature"
        | "InvalidSigner"
        | "InvalidSignatureLength"
        | "InvalidContractSignature" => PERMIT2_SIGNATURE,
        "AmountExceedsPermitted" => UPTO_AMOUNT_EXCEEDS_PERMITTED,
        "UnauthorizedFacilitator" => UPTO_UNAUTHORIZED_FACILITATOR,
        _ => return None,
    })
}

/// The code that a token's revert text stands for, as far as texts of the common implementations tell.
pub(crate) fn from_revert_text(text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase();
    let has = |part: &str| text.contains(part);
    if has("not yet valid") {
        Some(VALID_AFTER)
    } else if has("expired") {
        Some(VALID_BEFORE)
    } else if has("used or cancel")
        || has("authorization is used")
        || has("authorization already used")
    {
        Some(NONCE_ALREADY_USED)
    } else if has("exceeds balance") || has("insufficient balance") || has("insufficientbalance") {
        Some(INSUFFICIENT_BALANCE)
    } else if has("invalid signature") || has("ecrecover") {
        Some(SIGNATURE)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revert_texts_of_known_tokens_are_told_apart() {
        let table = [
            (
                "FiatTokenV2: authorization is not yet valid",
                Some(VALID_AFTER),
            ),
            ("FiatTokenV2: authorization is expired", Some(VALID_BEFORE)),
            (
                "FiatTokenV2: authorization is used or canceled",
                Some(NONCE_ALREADY_USED),
            ),
            ("FiatTokenV2: invalid signature", Some(SIGNATURE)),
            ("ECRecover: invalid signature 's' value", Some(SIGNATURE)),
            (
                "ERC20: transfer amount exceeds balance",
                Some(INSUFFICIENT_BALANCE),
            ),
            (
                "TestUsd: amount exceeds balance",
                Some(INSUFFICIENT_BALANCE),
            ),
            (
                "TestUsd: authorization is used or canceled",
                Some(NONCE_ALREADY_USED),
            ),
            ("Blacklistable: account is blacklisted", None),
            ("", None),
        ];
        for (text, code) in table {
            assert_eq!(from_revert_text(text), code, "{text}");
        }
    }
}
