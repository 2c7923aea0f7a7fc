//! What verifies and settles payments, and what can be learnt about a payment whose outcome is unknown.

#[cfg(feature = "http")]
pub mod http;
mod request;
mod token;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use alloy_primitives::{Address, B256};
use x402_model::evm::{EvmKind, Signature};
use x402_model::money::AtomicAmount;
use x402_model::network::Network;
use x402_model::wire::{SettleResponse, SupportedResponse, VerifyResponse};

pub use request::FacilitatorRequest;
pub use token::{SettleCost, TokenFacts, TokenLook};

/// A boxed future, the return type of the object-safe traits of this crate.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How a settlement ended, as far as it is known.
///
/// There is deliberately no error variant: whatever is not a clear yes or a clear no is [`SettleOutcome::Unknown`].
#[derive(Debug, Clone)]
pub enum SettleOutcome {
    /// The money moved.
    Settled(SettleResponse),
    /// Nothing is in flight and nothing moved; the response carries the reason code.
    Refused(SettleResponse),
    /// Nobody can say yet. Money may have moved or may still move.
    Unknown {
        /// The transaction that was sent, if one is known.
        transaction: Option<String>,
        /// What happened, for the log only; it is never sent to a buyer.
        reason: String,
    },
}

/// What identifies a payment when its fate is looked up on the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRef {
    /// The chain.
    pub network: Network,
    /// The token contract.
    pub asset: Address,
    /// The address that signed.
    pub payer: Address,
    /// The nonce: of EIP-3009, or of Permit2 as 32 bytes.
    pub nonce: B256,
    /// The address the money should have reached.
    pub pay_to: Address,
    /// The exact amount that should have moved; under `upto` what was charged.
    pub amount: AtomicAmount,
    /// Unix seconds after which the authorization is worthless.
    pub valid_before: u64,
    /// A transaction hash that was reported for it, if any.
    pub transaction: Option<String>,
    /// When this server first saw the payment, in milliseconds since the epoch: logs before it need no look.
    pub since_ms: u64,
}

/// What the chain says about a payment (security notes 3.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// The use of the nonce and the right `Transfer` are in one transaction.
    Paid {
        /// That transaction.
        transaction: String,
        /// How many blocks deep it is, counting its own block as 1.
        confirmations: u64,
    },
    /// The payer cancelled the authorization; no money moved and none can.
    Cancelled {
        /// The cancelling transaction.
        transaction: String,
    },
    /// The nonce is used but no `Transfer` with the right sender, receiver and value is in the transaction.
    Mismatch {
        /// The transaction that used the nonce; empty where the chain has no event to find it by.
        transaction: String,
    },
    /// The nonce is unused at a safe depth.
    Unused {
        /// Unix seconds of the block at safe depth.
        chain_time: u64,
    },
    /// Nothing could be learnt now.
    Unavailable {
        /// Why, for the log only.
        reason: String,
    },
}

/// Why a facilitator gave no usable answer. The texts are for the log and are never sent to a buyer.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum FacilitatorError {
    /// The facilitator could not be reached.
    #[error("facilitator unreachable: {0}")]
    Unreachable(String),
    /// The facilitator did not answer in time.
    #[error("facilitator did not answer in time")]
    Timeout,
    /// The facilitator answered something that is not what the protocol allows.
    #[error("facilitator gave an unusable answer: {0}")]
    BadAnswer(String),
    /// The facilitator does not serve this version, scheme or network.
    #[error("facilitator does not support {0}")]
    Unsupported(String),
}

/// Verifies and settles payments: an own settler, the sandbox, or somebody else's service.
///
/// Implementations must be strict: only a boolean `true` is success, and an answer that was lost is
/// [`SettleOutcome::Unknown`], never [`SettleOutcome::Refused`].
pub trait Facilitator: Send + Sync + 'static {
    /// The (version, scheme, network) kinds this facilitator settles.
    ///
    /// # Errors
    /// When the list cannot be had.
    fn supported(&self) -> BoxFuture<'_, Result<SupportedResponse, FacilitatorError>>;

    /// Checks a payment without moving money.
    ///
    /// # Errors
    /// When no clear answer was had; the payment is then not served.
    fn verify<'a>(
        &'a self,
        request: &'a FacilitatorRequest,
    ) -> BoxFuture<'a, Result<VerifyResponse, FacilitatorError>>;

    /// Moves the money. Called with the same request again when an earlier outcome is unknown.
    fn settle<'a>(&'a self, request: &'a FacilitatorRequest) -> BoxFuture<'a, SettleOutcome>;

    /// Looks for the fate of a payment on the chain.
    fn evidence<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Evidence> {
        let _ = payment;
        Box::pin(std::future::ready(Evidence::Unavailable {
            reason: "this facilitator cannot read the chain".to_owned(),
        }))
    }

    /// Whether the payer is a contract on the chain, so that a signature no key made may still be valid (ERC-1271).
    ///
    /// The gate asks only when a signature is not the payer's own, and then accepts what [`Facilitator::verify`] accepts.
    /// Facilitators that cannot know say `false`, which refuses such payments.
    ///
    /// # Errors
    /// When the chain cannot be asked now.
    fn payer_is_contract<'a>(
        &'a self,
        network: &'a Network,
        payer: Address,
    ) -> BoxFuture<'a, Result<bool, FacilitatorError>> {
        let _ = (network, payer);
        Box::pin(std::future::ready(Ok(false)))
    }

    /// Whether a contract wallet approves a signature over a hash that pays for nothing, such as that of a sign-in message
    /// (ERC-1271, and accounts that delegate to a contract). `None` when this facilitator cannot ask; that is the default.
    ///
    /// # Errors
    /// When the chain cannot be asked now.
    fn wallet_approves<'a>(
        &'a self,
        network: &'a Network,
        wallet: Address,
        hash: B256,
        signature: &'a Signature,
    ) -> BoxFuture<'a, Result<Option<bool>, FacilitatorError>> {
        let _ = (network, wallet, hash, signature);
        Box::pin(std::future::ready(Ok(None)))
    }

    /// What a token's contract says of itself. Asked when a paywall starts, to find mistakes in its settings and to complete
    /// what they leave out. Facilitators that cannot read the chain say [`TokenLook::Unable`]; that is the default.
    ///
    /// # Errors
    /// When the chain cannot be asked now.
    fn token_facts<'a>(
        &'a self,
        network: &'a Network,
        token: Address,
    ) -> BoxFuture<'a, Result<TokenLook, FacilitatorError>> {
        let _ = (network, token);
        Box::pin(std::future::ready(Ok(TokenLook::Unable)))
    }

    /// What one settlement of this kind costs the facilitator's account now; `None` when others pay for it, or when that cannot
    /// be known, which is the default. Asked when a paywall starts, to warn of prices that cost more than they earn.
    ///
    /// # Errors
    /// When the chain cannot be asked now.
    fn settle_cost<'a>(
        &'a self,
        network: &'a Network,
        kind: EvmKind,
    ) -> BoxFuture<'a, Result<Option<SettleCost>, FacilitatorError>> {
        let _ = (network, kind);
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Whether the gate should call [`Facilitator::verify`] before it runs the handler.
    ///
    /// `true` costs a round trip and protects the handler's work against payers without money.
    fn check_before_serving(&self) -> bool {
        true
    }
}

impl<F: Facilitator + ?Sized> Facilitator for Arc<F> {
    fn supported(&self) -> BoxFuture<'_, Result<SupportedResponse, FacilitatorError>> {
        (**self).supported()
    }

    fn verify<'a>(
        &'a self,
        request: &'a FacilitatorRequest,
    ) -> BoxFuture<'a, Result<VerifyResponse, FacilitatorError>> {
        (**self).verify(request)
    }

    fn settle<'a>(&'a self, request: &'a FacilitatorRequest) -> BoxFuture<'a, SettleOutcome> {
        (**self).settle(request)
    }

    fn evidence<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Evidence> {
        (**self).evidence(payment)
    }

    fn payer_is_contract<'a>(
        &'a self,
        network: &'a Network,
        payer: Address,
    ) -> BoxFuture<'a, Result<bool, FacilitatorError>> {
        (**self).payer_is_contract(network, payer)
    }

    fn wallet_approves<'a>(
        &'a self,
        network: &'a Network,
        wallet: Address,
        hash: B256,
        signature: &'a Signature,
    ) -> BoxFuture<'a, Result<Option<bool>, FacilitatorError>> {
        (**self).wallet_approves(network, wallet, hash, signature)
    }

    fn token_facts<'a>(
        &'a self,
        network: &'a Network,
        token: Address,
    ) -> BoxFuture<'a, Result<TokenLook, FacilitatorError>> {
        (**self).token_facts(network, token)
    }

    fn settle_cost<'a>(
        &'a self,
        network: &'a Network,
        kind: EvmKind,
    ) -> BoxFuture<'a, Result<Option<SettleCost>, FacilitatorError>> {
        (**self).settle_cost(network, kind)
    }

    fn check_before_serving(&self) -> bool {
        (**self).check_before_serving()
    }
}
