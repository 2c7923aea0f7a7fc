//! The limits of an own facilitator, with defaults for a cheap roll-up.

use std::time::Duration;

use alloy_primitives::{Address, U256};

/// Limits and habits of an [`EvmFacilitator`](super::EvmFacilitator).
///
/// Every field may be changed on a default value:
///
/// ```
/// use std::time::Duration;
/// use x402_runtime::evm::EvmConfig;
/// let mut config = EvmConfig::default();
/// config.settle_timeout = Duration::from_secs(30);
/// config.max_fee_per_gas = 2_000_000_000; // 2 gwei
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EvmConfig {
    /// The chain the node must serve; `None` takes whatever it serves. Default `None`.
    pub chain_id: Option<u64>,
    /// How long a settle call waits for its receipt before it answers "unknown". Default 60 s.
    pub settle_timeout: Duration,
    /// How long a sent transaction is watched, re-sent and re-priced after that. Default 10 min.
    pub abandon_after: Duration,
    /// Pause between looks for a receipt. Default 500 ms.
    pub poll_interval: Duration,
    /// After this long without a receipt a transaction is sent again with a higher fee. Default 15 s.
    pub stall_after: Duration,
    /// Settlements in flight at once; further ones answer "unknown" without being sent. Default 256.
    pub max_in_flight: usize,
    /// Highest fee per gas, base fee and tip together, in wei. Default 20 gwei.
    pub max_fee_per_gas: u128,
    /// Highest fee of one settlement, in wei: fee per gas times gas limit. Default 0.001 of the native coin. The data
    /// fee that some roll-ups add on top is not known before and not counted.
    pub max_fee_per_settlement: u128,
    /// Highest sum of fees within any hour, in wei; `None` sets no limit. A transaction counts with what it may cost from
    /// the moment it is sent, and with what it did cost once it is mined. When the next one does not fit, payments are
    /// refused with [`FEE_BUDGET_SPENT`](super::codes::FEE_BUDGET_SPENT) until enough of the hour has passed. Raising
    /// the fee of a stuck transaction is never refused, since everything would wait behind it. Default `None`.
    pub max_fee_per_hour: Option<u128>,
    /// Tip per gas when the node suggests none, in wei. Default 0.001 gwei.
    pub default_priority_fee: u128,
    /// Highest gas limit of a transfer. A plain one uses about 90,000; wallets that check signatures in their own way
    /// use more. Default 500,000.
    pub max_gas: u64,
    /// Highest gas limit for deploying a payer's wallet (ERC-6492). Default 2,000,000.
    pub max_deploy_gas: u64,
    /// Factories that may be called to deploy a payer's wallet with this facilitator's money. Default none, because
    /// such a call runs foreign code from a funded account.
    pub allowed_factories: Vec<Address>,
    /// The most native money, in wei, that one payer is given so that its own approval of Permit2 can be mined
    /// (`erc20ApprovalGasSponsoring`), once an hour. A payer can take it and send something else, so nobody gets any by
    /// default: approvals are then only passed on for payers who can pay for them. Counts for
    /// [`EvmConfig::max_fee_per_hour`]. Default 0.
    pub approval_funding: u128,
    /// Tokens that are settled; empty means any. A facilitator that strangers can reach should list its tokens.
    pub allowed_assets: Vec<Address>,
    /// Receivers that are settled for; empty means any.
    pub allowed_pay_to: Vec<Address>,
    /// The least amount of a token that is settled, in atomic units; tokens without a row have none. Default empty.
    pub minimum_values: Vec<(Address, U256)>,
    /// Seconds an authorization must still be valid when it is verified. Default 6, as in the reference.
    pub valid_before_margin: u64,
    /// How many blocks deep a block must be, its own counted as 1, before the absence of a payment in it is believed.
    /// Nodes that keep no archive answer about some 100 blocks. Default 10.
    pub confirmations: u64,
    /// Blocks asked for in one log query; halved when the node refuses. Default 2,000.
    pub log_chunk: u64,
    /// How many blocks back the transaction that used an authorization is looked for. Default 50,000.
    pub log_lookback: u64,
    /// Whether settling a payment again that was settled before, by anybody, is answered as success with the first
    /// transaction. Right for this crate's own gate, whose ledger lets one payment buy one answer. Set it to `false`
    /// when sellers without a ledger use this facilitator: they would deliver once per success. Default `true`.
    pub repeat_is_success: bool,
    /// Settle real money with a key that everybody knows. Default `false`; test networks need no permission.
    pub allow_public_key: bool,
}

impl Default for EvmConfig {
    fn default() -> Self {
        Self {
            chain_id: None,
            settle_timeout: Duration::from_secs(60),
            abandon_after: Duration::from_secs(600),
            poll_interval: Duration::from_millis(500),
            stall_after: Duration::from_secs(15),
            max_in_flight: 256,
            max_fee_per_gas: 20_000_000_000,
            max_fee_per_settlement: 1_000_000_000_000_000,
            max_fee_per_hour: None,
            default_priority_fee: 1_000_000,
            max_gas: 500_000,
            max_deploy_gas: 2_000_000,
            allowed_factories: Vec::new(),
            approval_funding: 0,
            allowed_assets: Vec::new(),
            allowed_pay_to: Vec::new(),
            minimum_values: Vec::new(),
            valid_before_margin: 6,
            confirmations: 10,
            log_chunk: 2_000,
            log_lookback: 50_000,
            repeat_is_success: true,
            allow_public_key: false,
        }
    }
}

impl EvmConfig {
    /// The same limits with the patience of a chain that mines at once: for the sandbox and for local nodes.
    #[must_use]
    pub fn sandbox() -> Self {
        Self {
            settle_timeout: Duration::from_secs(5),
            abandon_after: Duration::from_secs(20),
            poll_interval: Duration::from_millis(10),
            stall_after: Duration::from_millis(500),
            confirmations: 1,
            approval_funding: 1_000_000_000_000_000,
            ..Self::default()
        }
    }
}
