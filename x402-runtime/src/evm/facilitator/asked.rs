//! What a gate, a resolver and a start ask of the own facilitator.

use alloy_primitives::{Address, B256};
use x402_model::evm::{EvmKind, Signature};
use x402_model::network::Network;
use x402_model::wire::{SupportedResponse, VerifyResponse};

use super::{EvmFacilitator, Repeat};
use crate::evm::chain::ChainError;
use crate::evm::cost::SettlePath;
use crate::evm::facts::token_facts;
use crate::evm::verify::Purpose;
use crate::facilitator::{
    BoxFuture, Evidence, Facilitator, FacilitatorError, FacilitatorRequest, PaymentRef, SettleCost,
    SettleOutcome, TokenLook,
};

impl From<ChainError> for FacilitatorError {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::Timeout => Self::Timeout,
            ChainError::Unreachable(_) => Self::Unreachable(error.to_string()),
            _ => Self::BadAnswer(error.to_string()),
        }
    }
}

impl Facilitator for EvmFacilitator {
    fn supported(&self) -> BoxFuture<'_, Result<SupportedResponse, FacilitatorError>> {
        Box::pin(std::future::ready(Ok(self.kinds())))
    }

    fn verify<'a>(
        &'a self,
        request: &'a FacilitatorRequest,
    ) -> BoxFuture<'a, Result<VerifyResponse, FacilitatorError>> {
        Box::pin(self.verify_payment(request, Purpose::Verify))
    }

    /// An account with code, delegated accounts (EIP-7702) included.
    fn payer_is_contract<'a>(
        &'a self,
        network: &'a Network,
        payer: Address,
    ) -> BoxFuture<'a, Result<bool, FacilitatorError>> {
        Box::pin(async move {
            if *network != self.core.network {
                return Ok(false);
            }
            Ok(!self.core.chain.code(payer).await?.is_empty())
        })
    }

    fn wallet_approves<'a>(
        &'a self,
        network: &'a Network,
        wallet: Address,
        hash: B256,
        signature: &'a Signature,
    ) -> BoxFuture<'a, Result<Option<bool>, FacilitatorError>> {
        Box::pin(async move {
            if *network != self.core.network {
                return Ok(None);
            }
            // An account without code has nobody to ask: its key would have had to sign.
            if self.core.chain.code(wallet).await?.is_empty() {
                return Ok(Some(false));
            }
            Ok(Some(
                self.core.wallet_approves(wallet, hash, signature).await?,
            ))
        })
    }

    fn settle<'a>(&'a self, request: &'a FacilitatorRequest) -> BoxFuture<'a, SettleOutcome> {
        let repeat = if self.core.config.repeat_is_success {
            Repeat::Success
        } else {
            Repeat::Refused
        };
        Box::pin(self.core.settle(request, repeat))
    }

    fn evidence<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Evidence> {
        Box::pin(self.core.evidence(payment))
    }

    fn token_facts<'a>(
        &'a self,
        network: &'a Network,
        token: Address,
    ) -> BoxFuture<'a, Result<TokenLook, FacilitatorError>> {
        Box::pin(async move {
            if *network != self.core.network {
                return Ok(TokenLook::Unable);
            }
            let facts = token_facts(&*self.core.chain, token).await?;
            Ok(facts.map_or(TokenLook::Absent, |facts| TokenLook::Found(Box::new(facts))))
        })
    }

    fn settle_cost<'a>(
        &'a self,
        network: &'a Network,
        kind: EvmKind,
    ) -> BoxFuture<'a, Result<Option<SettleCost>, FacilitatorError>> {
        Box::pin(async move {
            if *network != self.core.network {
                return Ok(None);
            }
            let quote = self.core.quote().await?;
            Ok(Some(SettleCost {
                gas: SettlePath::of(kind).gas(),
                wei_per_gas: quote.base.saturating_add(quote.tip),
            }))
        })
    }

    /// Always: an own node answers quickly, and the handler's work is protected from payers without money.
    fn check_before_serving(&self) -> bool {
        true
    }
}
