//! What verifies and settles payments, and what can be learnt about a payment whose outcome is unknown.

#[cfg(feature = "http")]
pub mod http;
mod token;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};
use x402_model::evm::{EvmKind, Signature};
use x402_model::money::AtomicAmount;
use x402_model::network::Network;
use x402_model::wire::{
    FacilitatorCall, RawJson, SettleResponse, SupportedResponse, VerifyResponse,
};

pub use token::{SettleCost, TokenFacts, TokenLook};

/// The scheme of payments that are metered.
const UPTO: &str = "upto";

/// A boxed future, the return type of the object-safe traits of this crate.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One verify or settle call: the body of the facilitator REST API (protocol 1.10).
///
/// Payload and terms stay the text they came as: they are kept and passed on, not looked into. `Debug` shows no payload,
/// because it holds the buyer's signature.
///
/// ```
/// use serde_json::json;
/// use x402_runtime::facilitator::FacilitatorRequest;
/// let request = FacilitatorRequest {
///     x402_version: 2,
///     payload: json!({"x402Version": 2}).into(),
///     requirements: json!({"scheme": "exact", "network": "eip155:8453"}).into(),
/// };
/// assert_eq!(request.network().as_deref(), Some("eip155:8453"));
/// ```
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FacilitatorRequest {
    /// The protocol version of the payload: 1 or 2.
    #[serde(rename = "x402Version")]
    pub x402_version: u8,
    /// The whole payment payload as the buyer sent it.
    #[serde(rename = "paymentPayload")]
    pub payload: RawJson,
    /// The terms of this server that the payload was matched against.
    #[serde(rename = "paymentRequirements")]
    pub requirements: RawJson,
}

impl From<FacilitatorCall> for FacilitatorRequest {
    fn from(call: FacilitatorCall) -> Self {
        Self {
            x402_version: call.x402_version,
            payload: call.payload.into(),
            requirements: call.requirements.into(),
        }
    }
}

impl FacilitatorRequest {
    /// The body as JSON text: what serde writes, put together without reading its parts again.
    #[must_use]
    pub fn to_json(&self) -> String {
        let Self {
            x402_version,
            payload,
            requirements,
        } = self;
        let version = x402_version.to_string();
        let parts = [
            r#"{"x402Version":"#,
            &version,
            r#","paymentPayload":"#,
            payload.as_str(),
            r#","paymentRequirements":"#,
            requirements.as_str(),
            "}",
        ];
        // In one piece of memory of the right size: a payment is long.
        parts.concat()
    }

    /// The account that pays, as the payload spells it; none in payloads of another shape than those on EVM chains.
    #[must_use]
    pub fn payer(&self) -> Option<String> {
        let known = self.payload.read::<Paying>();
        known.map_or_else(
            || {
                let places = [
                    "/payload/authorization/from",
                    "/payload/permit2Authorization/from",
                ];
                places.iter().find_map(|at| text_at(&self.payload, at))
            },
            |paying| Some(paying.payload.authorization.from),
        )
    }

    /// Whether the payer signed a ceiling and is charged what was metered (scheme `upto`).
    #[must_use]
    pub fn is_metered(&self) -> bool {
        // Payments of other schemes are far more common and need not be read for it.
        self.requirements.as_str().contains(UPTO)
            && text_at(&self.requirements, "/scheme").as_deref() == Some(UPTO)
    }

    /// The amount of the terms: the price, or the ceiling of a metered one.
    #[must_use]
    pub fn amount(&self) -> Option<AtomicAmount> {
        text_at(&self.requirements, "/amount")?.parse().ok()
    }

    /// The same call for another amount, which is how a facilitator is told what was metered.
    #[must_use]
    pub fn for_amount(&self, amount: AtomicAmount) -> Self {
        let mut terms = self.requirements.to_value();
        if let Some(members) = terms.as_object_mut() {
            members.insert("amount".to_owned(), amount.to_string().into());
        }
        Self {
            x402_version: self.x402_version,
            payload: self.payload.clone(),
            requirements: terms.into(),
        }
    }

    /// The network of the terms, as they spell it.
    #[must_use]
    pub fn network(&self) -> Option<String> {
        let known = self.requirements.read::<OnNetwork>();
        known.map_or_else(
            || text_at(&self.requirements, "/network"),
            |terms| Some(terms.network),
        )
    }
}

#[derive(Deserialize)]
struct Paying {
    payload: Authorized,
}

#[derive(Deserialize)]
struct Authorized {
    authorization: Payer,
}

#[derive(Deserialize)]
struct Payer {
    from: String,
}

#[derive(Deserialize)]
struct OnNetwork {
    network: String,
}

/// Texts of an unusual shape (a member twice, say) are read into a tree, where the last one counts.
fn text_at(json: &RawJson, pointer: &str) -> Option<String> {
    json.to_value()
        .pointer(pointer)
        .and_then(serde_json::Value::as_str)
        .map(str::to_owned)
}

impl fmt::Debug for FacilitatorRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FacilitatorRequest")
            .field("x402_version", &self.x402_version)
            .field("payload", &"<redacted>")
            .field("requirements", &self.requirements.as_str())
            .finish()
    }
}

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
