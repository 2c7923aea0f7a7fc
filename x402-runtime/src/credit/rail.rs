//! The facilitator that moves credit: a call's hold is captured where a payment would be sent to a chain.

use std::fmt;
use std::sync::Arc;

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};
use x402_model::asset::checksum;
use x402_model::evm::EvmKind;
use x402_model::evm::Signature;
use x402_model::money::AtomicAmount;
use x402_model::network::Network;
use x402_model::wire::{SettleResponse, SupportedResponse, VerifyResponse};

use crate::clock::Clock;
use crate::facilitator::{
    BoxFuture, Evidence, Facilitator, FacilitatorError, FacilitatorRequest, PaymentRef, SettleCost,
    SettleOutcome, TokenLook,
};
use crate::ledger::{Ledger, PaymentKey, PostRefusal, Posted, Posting};

/// The network of calls that are paid from credit. No facilitator and no buyer ever sees it.
const NETWORK: &str = "x402:credit";

const SCHEME: &str = "x402-credit";

/// What the reason of a capture that is not possible any more is called.
const RELEASED: &str = "credit_hold_released";

/// The terms of a call that is paid from credit, as its record keeps them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CreditTerms {
    scheme: String,
    network: String,
    /// What to capture of the hold.
    pub(crate) amount: String,
    payer: String,
    /// The hold.
    pub(crate) hold: String,
    /// The purse.
    pub(crate) path: String,
    pub(crate) unit: String,
}

/// The record key of a call that is paid from credit. `nonce` is that of the signed message, in our own form.
pub(crate) fn key(payer: Address, nonce: B256) -> PaymentKey {
    PaymentKey {
        network: network(),
        asset: Address::ZERO,
        payer,
        nonce,
    }
}

fn network() -> Network {
    Network::Other(NETWORK.into())
}

/// Whether a payment is a call from credit: no money moves on a chain for it.
pub(crate) fn is_credit(network: &Network) -> bool {
    matches!(network, Network::Other(name) if **name == *NETWORK)
}

/// The name of the hold of a call.
pub(crate) fn hold_of(key: &PaymentKey) -> String {
    format!("call/{}/{}", key.payer, key.nonce)
}

/// The call whose hold has this name.
pub(crate) fn key_of(hold: &str) -> Option<PaymentKey> {
    let (payer, nonce) = hold.strip_prefix("call/")?.split_once('/')?;
    Some(key(payer.parse().ok()?, nonce.parse().ok()?))
}

impl CreditTerms {
    pub(crate) fn new(key: &PaymentKey, amount: AtomicAmount, path: &str, unit: &str) -> Self {
        Self {
            scheme: SCHEME.to_owned(),
            network: NETWORK.to_owned(),
            amount: amount.to_string(),
            payer: checksum(key.payer),
            hold: hold_of(key),
            path: path.to_owned(),
            unit: unit.to_owned(),
        }
    }

    pub(crate) fn request(&self) -> FacilitatorRequest {
        let text = serde_json::to_string(self).unwrap_or_default();
        FacilitatorRequest {
            x402_version: 2,
            payload: serde_json::json!({ "x402Version": 2, "payload": { "hold": self.hold } })
                .into(),
            requirements: x402_model::wire::RawJson::parse(&text).unwrap_or_default(),
        }
    }

    /// The terms of a call from credit; `None` for any other payment.
    pub(crate) fn of(request: &FacilitatorRequest) -> Option<Self> {
        // All other payments are far more common and need not be read for it.
        if !request.requirements.as_str().contains(SCHEME) {
            return None;
        }
        request
            .requirements
            .read::<Self>()
            .filter(|terms| terms.scheme == SCHEME && terms.network == NETWORK)
    }
}

/// A facilitator that moves credit itself and leaves everything else to another one.
pub(crate) struct WithCredit {
    inner: Arc<dyn Facilitator>,
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
}

impl WithCredit {
    pub(crate) fn new(
        inner: Arc<dyn Facilitator>,
        ledger: Arc<dyn Ledger>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            inner,
            ledger,
            clock,
        }
    }

    async fn post(&self, hold: &str, posting: Posting) -> Result<Posted, String> {
        self.ledger
            .accounts()
            .post(hold, posting, self.clock.now_ms())
            .await
            .map_err(|error| error.to_string())
    }

    async fn capture(&self, terms: &CreditTerms) -> SettleOutcome {
        let Ok(amount) = terms.amount.parse::<AtomicAmount>() else {
            return refused(terms);
        };
        match self.post(&terms.hold, Posting::Capture { amount }).await {
            Ok(Posted::Done(_) | Posted::Repeated(_)) => SettleOutcome::Settled(SettleResponse {
                success: true,
                transaction: transaction(&terms.hold),
                network: NETWORK.to_owned(),
                payer: Some(terms.payer.clone()),
                ..SettleResponse::default()
            }),
            Ok(Posted::Refused(_)) => refused(terms),
            Err(reason) => SettleOutcome::Unknown {
                transaction: None,
                reason,
            },
        }
    }

    /// What became of a hold. An intent to capture it was written before anybody asks for one that has not expired; one that
    /// has expired is released first, so that nothing can be captured afterwards.
    async fn fate(&self, payment: &PaymentRef) -> Evidence {
        let hold = hold_of(&key(payment.payer, payment.nonce));
        let now = self.clock.now_ms() / 1000;
        let paid = || Evidence::Paid {
            transaction: transaction(&hold),
            confirmations: u64::MAX,
        };
        let expired = now > payment.valid_before;
        let posting = match expired {
            true => Posting::Release,
            false => Posting::Capture {
                amount: payment.amount,
            },
        };
        match (expired, self.post(&hold, posting).await) {
            (_, Err(reason)) => Evidence::Unavailable { reason },
            (false, Ok(Posted::Done(_) | Posted::Repeated(_)))
            | (true, Ok(Posted::Refused(PostRefusal::Conflict))) => paid(),
            _ => Evidence::Unused { chain_time: now },
        }
    }
}

/// What stands for a transaction: the nonce of the call, which ends the hold's name.
fn transaction(hold: &str) -> String {
    hold.rsplit('/').next().unwrap_or_default().to_owned()
}

fn refused(terms: &CreditTerms) -> SettleOutcome {
    SettleOutcome::Refused(SettleResponse {
        success: false,
        error_reason: Some(RELEASED.to_owned()),
        network: NETWORK.to_owned(),
        payer: Some(terms.payer.clone()),
        ..SettleResponse::default()
    })
}

impl fmt::Debug for WithCredit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WithCredit")
    }
}

impl Facilitator for WithCredit {
    fn supported(&self) -> BoxFuture<'_, Result<SupportedResponse, FacilitatorError>> {
        self.inner.supported()
    }

    fn verify<'a>(
        &'a self,
        request: &'a FacilitatorRequest,
    ) -> BoxFuture<'a, Result<VerifyResponse, FacilitatorError>> {
        self.inner.verify(request)
    }

    fn settle<'a>(&'a self, request: &'a FacilitatorRequest) -> BoxFuture<'a, SettleOutcome> {
        match CreditTerms::of(request) {
            Some(terms) => Box::pin(async move { self.capture(&terms).await }),
            None => self.inner.settle(request),
        }
    }

    fn evidence<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Evidence> {
        if is_credit(&payment.network) {
            Box::pin(self.fate(payment))
        } else {
            self.inner.evidence(payment)
        }
    }

    fn payer_is_contract<'a>(
        &'a self,
        network: &'a Network,
        payer: Address,
    ) -> BoxFuture<'a, Result<bool, FacilitatorError>> {
        self.inner.payer_is_contract(network, payer)
    }

    fn wallet_approves<'a>(
        &'a self,
        network: &'a Network,
        wallet: Address,
        hash: B256,
        signature: &'a Signature,
    ) -> BoxFuture<'a, Result<Option<bool>, FacilitatorError>> {
        self.inner.wallet_approves(network, wallet, hash, signature)
    }

    fn token_facts<'a>(
        &'a self,
        network: &'a Network,
        token: Address,
    ) -> BoxFuture<'a, Result<TokenLook, FacilitatorError>> {
        self.inner.token_facts(network, token)
    }

    fn settle_cost<'a>(
        &'a self,
        network: &'a Network,
        kind: EvmKind,
    ) -> BoxFuture<'a, Result<Option<SettleCost>, FacilitatorError>> {
        self.inner.settle_cost(network, kind)
    }

    fn check_before_serving(&self) -> bool {
        self.inner.check_before_serving()
    }
}
