//! Reason codes of Permit2, gas-sponsored and `upto` payments on EVM chains, as other packages answer them.
//!
//! The set of codes on the wire is open: compare with these, and expect others.

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal;)+) => {
        $($(#[doc = $doc])+ pub const $name: &str = $code;)+

        /// Every code of this module, in the order of declaration.
        pub const ALL: &[&str] = &[$($code,)+];
    };
}

reasons! {
    /// The spender of a Permit2 transfer is not the proxy of its scheme.
    PERMIT2_SPENDER = "invalid_permit2_spender";
    /// The witness pays someone else than the terms.
    PERMIT2_RECIPIENT_MISMATCH = "invalid_permit2_recipient_mismatch";
    /// The deadline has passed, or will before the payment can be settled.
    PERMIT2_DEADLINE_EXPIRED = "permit2_deadline_expired";
    /// `validAfter` has not come yet.
    PERMIT2_NOT_YET_VALID = "permit2_not_yet_valid";
    /// The permitted amount is not that of the terms.
    PERMIT2_AMOUNT_MISMATCH = "permit2_amount_mismatch";
    /// The permitted token is not that of the terms.
    PERMIT2_TOKEN_MISMATCH = "permit2_token_mismatch";
    /// The signature is not the payer's.
    PERMIT2_SIGNATURE = "invalid_permit2_signature";
    /// The payer has not approved Permit2 for the token, or not for enough.
    PERMIT2_ALLOWANCE_REQUIRED = "permit2_allowance_required";
    /// The transfer would fail, and nothing better is known.
    PERMIT2_SIMULATION_FAILED = "permit2_simulation_failed";
    /// The payer holds too little of the token.
    PERMIT2_INSUFFICIENT_BALANCE = "permit2_insufficient_balance";
    /// The proxy of the scheme is not on this chain.
    PERMIT2_PROXY_NOT_DEPLOYED = "permit2_proxy_not_deployed";
    /// The proxy refused the amount.
    PERMIT2_INVALID_AMOUNT = "permit2_invalid_amount";
    /// The proxy refused the recipient.
    PERMIT2_INVALID_DESTINATION = "permit2_invalid_destination";
    /// The proxy refused the owner.
    PERMIT2_INVALID_OWNER = "permit2_invalid_owner";
    /// The proxy found the payment to come too early.
    PERMIT2_PAYMENT_TOO_EARLY = "permit2_payment_too_early";
    /// The nonce was used before.
    PERMIT2_INVALID_NONCE = "permit2_invalid_nonce";
    /// The EIP-2612 permit is not for the permitted amount.
    PERMIT2_2612_AMOUNT_MISMATCH = "permit2_2612_amount_mismatch";

    /// The info of `eip2612GasSponsoring` has the wrong shape.
    EIP2612_FORMAT = "invalid_eip2612_extension_format";
    /// The permit is another account's.
    EIP2612_FROM_MISMATCH = "eip2612_from_mismatch";
    /// The permit is for another token.
    EIP2612_ASSET_MISMATCH = "eip2612_asset_mismatch";
    /// The permit is not for Permit2.
    EIP2612_SPENDER_NOT_PERMIT2 = "eip2612_spender_not_permit2";
    /// The permit has expired, or will before it can be used.
    EIP2612_DEADLINE_EXPIRED = "eip2612_deadline_expired";

    /// The info of `erc20ApprovalGasSponsoring` has the wrong shape.
    ERC20_APPROVAL_FORMAT = "invalid_erc20_approval_extension_format";
    /// The approval is another account's.
    ERC20_APPROVAL_FROM_MISMATCH = "erc20_approval_from_mismatch";
    /// The approval is for another token.
    ERC20_APPROVAL_ASSET_MISMATCH = "erc20_approval_asset_mismatch";
    /// The approval is not for Permit2.
    ERC20_APPROVAL_SPENDER_NOT_PERMIT2 = "erc20_approval_spender_not_permit2";
    /// The transaction calls another contract than the token.
    ERC20_APPROVAL_TX_WRONG_TARGET = "erc20_approval_tx_wrong_target";
    /// The transaction calls another function than `approve`.
    ERC20_APPROVAL_TX_WRONG_SELECTOR = "erc20_approval_tx_wrong_selector";
    /// The transaction approves another spender than Permit2.
    ERC20_APPROVAL_TX_WRONG_SPENDER = "erc20_approval_tx_wrong_spender";
    /// The arguments of `approve` are not well-formed.
    ERC20_APPROVAL_TX_INVALID_CALLDATA = "erc20_approval_tx_invalid_calldata";
    /// The transaction was signed by another account.
    ERC20_APPROVAL_TX_SIGNER_MISMATCH = "erc20_approval_tx_signer_mismatch";
    /// The transaction's signature is no signature.
    ERC20_APPROVAL_TX_INVALID_SIGNATURE = "erc20_approval_tx_invalid_signature";
    /// The transaction is not one of the form that is taken, or for another chain.
    ERC20_APPROVAL_TX_PARSE_FAILED = "erc20_approval_tx_parse_failed";
    /// The transaction was included and failed.
    ERC20_APPROVAL_TX_FAILED = "erc20_approval_tx_failed";
    /// The transaction could not be sent.
    ERC20_APPROVAL_BROADCAST_FAILED = "erc20_approval_broadcast_failed";

    /// The scheme is not `upto`.
    UPTO_SCHEME = "invalid_upto_evm_scheme";
    /// The payment is for another network than the terms.
    UPTO_NETWORK_MISMATCH = "invalid_upto_evm_network_mismatch";
    /// The charge is above what was permitted.
    UPTO_SETTLEMENT_EXCEEDS_AMOUNT = "invalid_upto_evm_payload_settlement_exceeds_amount";
    /// The settlement failed on the chain.
    UPTO_TRANSACTION_FAILED = "invalid_upto_evm_transaction_failed";
    /// The proxy found the charge above what was permitted.
    UPTO_AMOUNT_EXCEEDS_PERMITTED = "upto_amount_exceeds_permitted";
    /// The proxy was called by another account than the facilitator that was signed.
    UPTO_UNAUTHORIZED_FACILITATOR = "upto_unauthorized_facilitator";
    /// The facilitator that was signed is not the one that settles.
    UPTO_FACILITATOR_MISMATCH = "upto_facilitator_mismatch";
}
