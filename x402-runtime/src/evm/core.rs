//! What all parts of the facilitator share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use alloy_primitives::Address;
use tokio::sync::Semaphore;
use x402_model::network::Network;

use crate::clock::Clock;
use crate::evm::approving::Approving;
use crate::evm::budget::FeeBudget;
use crate::evm::cache::CodeCache;
use crate::evm::chain::Chain;
use crate::evm::config::EvmConfig;
use crate::evm::inflight::InFlight;
use crate::evm::key::SettlerKey;
use crate::evm::nonce::Account;

/// One chain, its settling accounts, and what is going on.
pub(crate) struct Core {
    pub(crate) chain: Arc<dyn Chain>,
    /// A second opinion on evidence, if there is one.
    pub(crate) witness: Option<Arc<dyn Chain>>,
    pub(crate) chain_id: u64,
    pub(crate) network: Network,
    pub(crate) config: EvmConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) assets: CodeCache,
    pub(crate) in_flight: Arc<InFlight>,
    pub(crate) approving: Arc<Approving>,
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) budget: Arc<FeeBudget>,
    pub(crate) accounts: Vec<Arc<Account>>,
    /// Settling accounts whose keys are published.
    pub(crate) public_accounts: Vec<Address>,
    turn: AtomicUsize,
}

impl Core {
    pub(crate) fn new(
        chain: Arc<dyn Chain>,
        chain_id: u64,
        keys: Vec<SettlerKey>,
        config: EvmConfig,
        clock: Arc<dyn Clock>,
        public_accounts: Vec<Address>,
    ) -> Self {
        let account = |key| Arc::new(Account::new(Arc::clone(&chain), chain_id, key));
        Self {
            witness: None,
            chain_id,
            network: Network::evm(chain_id),
            assets: CodeCache::default(),
            in_flight: Arc::default(),
            approving: Arc::default(),
            permits: Arc::new(Semaphore::new(
                config.max_in_flight.min(Semaphore::MAX_PERMITS),
            )),
            budget: FeeBudget::new(config.max_fee_per_hour),
            accounts: keys.into_iter().map(account).collect(),
            public_accounts,
            turn: AtomicUsize::new(0),
            chain,
            config,
            clock,
        }
    }

    /// The accounts take turns, so that several of them settle side by side.
    pub(crate) fn next_account(&self) -> Option<Arc<Account>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        self.accounts
            .get(turn.checked_rem(self.accounts.len())?)
            .map(Arc::clone)
    }

    /// The settling account of an address.
    pub(crate) fn account(&self, address: Address) -> Option<Arc<Account>> {
        let mut accounts = self.accounts.iter();
        accounts
            .find(|account| account.address() == address)
            .map(Arc::clone)
    }

    /// The sender that simulations run as.
    pub(crate) fn settler(&self) -> Address {
        self.accounts
            .first()
            .map(|account| account.address())
            .unwrap_or_default()
    }
}
