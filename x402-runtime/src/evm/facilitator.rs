//! The own facilitator: verifies and settles `exact` and `upto` payments on one EVM chain.

mod asked;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256, U256};
use serde_json::{Map, json};
use x402_model::evm::gas_sponsoring::{EIP2612_GAS_SPONSORING, ERC20_APPROVAL_GAS_SPONSORING};
use x402_model::money::AtomicAmount;
use x402_model::network::Network;
use x402_model::wire::{SupportedKind, SupportedResponse, VerifyResponse};

use crate::clock::{Clock, SystemClock};
use crate::evm::chain::{Chain, ChainError};
use crate::evm::config::EvmConfig;
use crate::evm::core::Core;
use crate::evm::key::SettlerKey;
use crate::evm::payment::Payment;
use crate::evm::reason::Stop;
use crate::evm::recover::recover;
use crate::evm::request::Echo;
use crate::evm::verify::Purpose;
use crate::facilitator::{FacilitatorError, FacilitatorRequest, PaymentRef, SettleOutcome};

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

/// What a settle call hears of a payment whose money moved before the call, or for a concurrent call.
///
/// Success is right for callers that let one payment buy one answer, as this crate's own gate does: they may have lost the
/// first answer. Refusing is right for callers that deliver once per success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Success, with the transaction that moved the money.
    Success,
    /// Success for a call that joins a settlement which is going on, a refusal when the money moved before that began.
    Joined,
    /// A refusal that says the nonce is used.
    Refused,
}

/// Which payment a request is about, read without asking the chain. Two requests with the same fingerprint agree in every
/// field that decides their outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identified {
    /// The payment. Several requests may name the same one and differ in the rest.
    pub payment: PaymentRef,
    /// A digest over everything that decides the outcome: terms, authorization, signature.
    pub fingerprint: B256,
    /// Whether the payer's key made the signature. Contract wallets sign in their own way, so `false` is no proof of fraud.
    pub signed_by_payer: bool,
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

    /// The network it settles on.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.core.network
    }

    /// Settles a payment, deciding for this one call what [`EvmConfig::repeat_is_success`] decides for all others.
    pub async fn settle_as(&self, request: &FacilitatorRequest, repeat: Repeat) -> SettleOutcome {
        self.core.settle(request, repeat).await
    }

    /// Checks a request as a settlement would and moves nothing. Unlike
    /// [`Facilitator::verify`](crate::facilitator::Facilitator::verify) it takes the amount of the terms for what is charged,
    /// which under `upto` may be less than what was permitted.
    ///
    /// # Errors
    /// When no clear answer was had.
    pub async fn verify_charge(
        &self,
        request: &FacilitatorRequest,
    ) -> Result<VerifyResponse, FacilitatorError> {
        self.verify_payment(request, Purpose::Settle).await
    }

    /// Which payment a request is about; `None` when it is not a well-formed payment on this network.
    #[must_use]
    pub fn identify(&self, request: &FacilitatorRequest) -> Option<Identified> {
        let payment = Payment::read(request, self.core.chain_id).ok()?;
        let id = payment.id();
        let signer = payment
            .signature()
            .and_then(|signature| recover(payment.digest(), signature));
        Some(Identified {
            payment: PaymentRef {
                network: self.core.network.clone(),
                asset: id.asset,
                payer: id.payer,
                nonce: id.nonce,
                pay_to: payment.pay_to(),
                amount: AtomicAmount::new(payment.amount()),
                valid_before: payment.valid_until().saturating_to(),
                transaction: None,
                since_ms: 0,
            },
            fingerprint: payment.fingerprint(),
            signed_by_payer: signer == Some(id.payer),
        })
    }

    /// How long no payment will be settled because the fees of the last hour are spent; `None` when there is room. See
    /// [`EvmConfig::max_fee_per_hour`].
    #[must_use]
    pub fn fee_budget_pause(&self) -> Option<Duration> {
        self.core.budget.pause(self.core.clock.now_ms())
    }

    /// An account's native balance in wei.
    ///
    /// # Errors
    /// When the chain gives no clear answer.
    pub async fn native_balance(&self, account: Address) -> Result<U256, ChainError> {
        self.core.chain.balance(account).await
    }

    /// How many settlements are going on, those included whose callers have stopped waiting.
    #[must_use]
    pub fn settlements_in_flight(&self) -> usize {
        self.core.in_flight.len()
    }

    fn kinds(&self) -> SupportedResponse {
        let network = self.core.network.to_string();
        let settlers: Vec<String> = self.settlers().iter().map(ToString::to_string).collect();
        let kind = |version, scheme: &str, network: &str, extra| SupportedKind {
            x402_version: version,
            scheme: scheme.to_owned(),
            network: network.to_owned(),
            extra,
        };
        let mut kinds = vec![kind(2, "exact", &network, None)];
        // The payer signs for one account; which of several, is chosen here so that the terms stay the same.
        if let Some(settler) = settlers.first() {
            let named = Map::from_iter([("facilitatorAddress".to_owned(), json!(settler))]);
            kinds.push(kind(2, "upto", &network, Some(named)));
        }
        let short = self.core.network.short_name();
        kinds.extend(short.map(|short| kind(1, "exact", short, None)));
        let mut extensions = vec![EIP2612_GAS_SPONSORING.to_owned()];
        if self.core.config.approval_funding > 0 {
            extensions.push(ERC20_APPROVAL_GAS_SPONSORING.to_owned());
        }
        SupportedResponse {
            kinds,
            extensions,
            signers: BTreeMap::from([(network, settlers)]),
        }
    }

    async fn verify_payment(
        &self,
        request: &FacilitatorRequest,
        purpose: Purpose,
    ) -> Result<VerifyResponse, FacilitatorError> {
        let echo = Echo::read(request, &self.core.network);
        let answer = VerifyResponse {
            payer: echo.payer,
            ..VerifyResponse::default()
        };
        match self.run_checks(request, purpose).await {
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

    async fn run_checks(&self, request: &FacilitatorRequest, purpose: Purpose) -> Result<(), Stop> {
        let payment = Payment::read(request, self.core.chain_id)?;
        let plan = self.core.check(&payment, purpose).await?;
        self.core.simulate(&payment, &plan).await
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
