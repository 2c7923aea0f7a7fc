//! The own facilitator: verifies and settles `exact` payments on one EVM chain.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use alloy_primitives::Address;
use x402_model::network::Network;
use x402_model::wire::{SupportedKind, SupportedResponse, VerifyResponse};

use crate::clock::{Clock, SystemClock};
use crate::evm::chain::{Chain, ChainError};
use crate::evm::config::EvmConfig;
use crate::evm::core::Core;
use crate::evm::exact::{Echo, Exact};
use crate::evm::key::SettlerKey;
use crate::evm::reason::Stop;
use crate::facilitator::{
    BoxFuture, Evidence, Facilitator, FacilitatorError, FacilitatorRequest, PaymentRef,
    SettleOutcome,
};

/// Why a facilitator cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvmStartError {
    /// The chain's node gave no clear answer, or serves another chain than configured.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// Real money would be settled with a key that everybody knows.
    #[error(
        "account {account} has a published development key; it must not settle on chain {chain_id}"
    )]
    PublicKey {
        /// The account.
        account: Address,
        /// The chain.
        chain_id: u64,
    },
}

/// Verifies payments and settles them with an account of its own, on one EVM chain.
///
/// It answers with the codes and in the order of the reference facilitator. It differs on purpose where the reference
/// throws (a code is answered), and when a payment was settled before: see [`EvmConfig::repeat_is_success`].
///
/// One process per settling account: two that share one would use each other's nonces up.
pub struct EvmFacilitator {
    core: Arc<Core>,
}

impl EvmFacilitator {
    /// Starts a facilitator after asking the chain for its id.
    ///
    /// # Errors
    /// An [`EvmStartError`].
    pub async fn new(
        chain: Arc<dyn Chain>,
        key: SettlerKey,
        config: EvmConfig,
    ) -> Result<Self, EvmStartError> {
        Self::with_keys(chain, vec![key], config).await
    }

    /// Starts a facilitator that settles with several accounts in turn.
    ///
    /// # Errors
    /// As [`EvmFacilitator::new`].
    pub async fn with_keys(
        chain: Arc<dyn Chain>,
        keys: Vec<SettlerKey>,
        config: EvmConfig,
    ) -> Result<Self, EvmStartError> {
        let chain_id = chain.chain_id().await?;
        if let Some(expected) = config.chain_id.filter(|expected| *expected != chain_id) {
            return Err(ChainError::WrongChain {
                expected,
                found: chain_id,
            }
            .into());
        }
        let facilitator = Self::assemble(chain, chain_id, keys, config, Arc::new(SystemClock));
        facilitator.refuse_public_keys()?;
        Ok(facilitator)
    }

    /// Puts a facilitator together without asking anybody.
    pub(crate) fn assemble(
        chain: Arc<dyn Chain>,
        chain_id: u64,
        keys: Vec<SettlerKey>,
        config: EvmConfig,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let public: Vec<Address> = keys
            .iter()
            .filter(|key| key.is_well_known_dev_key())
            .map(SettlerKey::address)
            .collect();
        Self {
            core: Arc::new(Core::new(chain, chain_id, keys, config, clock, public)),
        }
    }

    fn refuse_public_keys(&self) -> Result<(), EvmStartError> {
        let real_money = self.core.network.is_testnet() == Some(false);
        match self.core.public_accounts.first() {
            Some(account) if real_money && !self.core.config.allow_public_key => {
                Err(EvmStartError::PublicKey {
                    account: *account,
                    chain_id: self.core.chain_id,
                })
            }
            _ => Ok(()),
        }
    }

    /// Replaces the clock that validity windows are compared with.
    ///
    /// Has no effect once the facilitator is in use; call it while building.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        if let Some(core) = Arc::get_mut(&mut self.core) {
            core.clock = clock;
        }
        self
    }

    /// Adds a second node of the same chain; evidence then needs both to agree.
    ///
    /// Has no effect once the facilitator is in use; call it while building.
    #[must_use]
    pub fn with_witness(mut self, witness: Arc<dyn Chain>) -> Self {
        if let Some(core) = Arc::get_mut(&mut self.core) {
            core.witness = Some(witness);
        }
        self
    }

    /// The accounts that send the settlements.
    #[must_use]
    pub fn settlers(&self) -> Vec<Address> {
        self.core
            .accounts
            .iter()
            .map(|account| account.address())
            .collect()
    }

    /// The chain id it settles on.
    #[must_use]
    pub fn chain_id(&self) -> u64 {
        self.core.chain_id
    }

    fn kinds(&self) -> SupportedResponse {
        let kind = |version, network: String| SupportedKind {
            x402_version: version,
            scheme: "exact".to_owned(),
            network,
            extra: None,
        };
        let network = self.core.network.to_string();
        let mut kinds = vec![kind(2, network.clone())];
        kinds.extend(
            self.core
                .network
                .short_name()
                .map(|short| kind(1, short.to_owned())),
        );
        let signers = self.settlers().iter().map(ToString::to_string).collect();
        SupportedResponse {
            kinds,
            extensions: Vec::new(),
            signers: BTreeMap::from([(network, signers)]),
        }
    }

    async fn verify_payment(
        &self,
        request: &FacilitatorRequest,
    ) -> Result<VerifyResponse, FacilitatorError> {
        let echo = Echo::read(request, &self.core.network);
        let answer = VerifyResponse {
            payer: echo.payer,
            ..VerifyResponse::default()
        };
        match self.run_checks(request).await {
            Ok(()) => Ok(VerifyResponse {
                is_valid: true,
                ..answer
            }),
            Err(Stop::Refused(refusal)) => Ok(VerifyResponse {
                invalid_reason: Some(refusal.reason.to_owned()),
                invalid_message: Some(refusal.message),
                ..answer
            }),
            Err(Stop::Chain(error)) => Err(error.into()),
        }
    }

    async fn run_checks(&self, request: &FacilitatorRequest) -> Result<(), Stop> {
        let exact = Exact::read(request, self.core.chain_id)?;
        let plan = self.core.check(&exact).await?;
        self.core.simulate(&exact, &plan).await
    }
}

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
        Box::pin(self.verify_payment(request))
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

    fn settle<'a>(&'a self, request: &'a FacilitatorRequest) -> BoxFuture<'a, SettleOutcome> {
        Box::pin(self.core.settle(request))
    }

    fn evidence<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Evidence> {
        Box::pin(self.core.evidence(payment))
    }

    /// Always: an own node answers quickly, and the handler's work is protected from payers without money.
    fn check_before_serving(&self) -> bool {
        true
    }
}

impl fmt::Debug for EvmFacilitator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EvmFacilitator")
            .field("chain_id", &self.core.chain_id)
            .field("settlers", &self.settlers())
            .finish_non_exhaustive()
    }
}
