//! What the settlement code needs from an EVM chain, whether over JSON-RPC or in this process.

use alloy_primitives::{Address, B256, Bytes, U256};

use crate::facilitator::BoxFuture;

/// A block's header, as much of it as settlement reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockInfo {
    /// Height.
    pub number: u64,
    /// Block hash: two answers about one height that differ in it come from different histories.
    pub hash: B256,
    /// Unix seconds.
    pub timestamp: u64,
    /// Base fee per gas in wei; `None` before EIP-1559.
    pub base_fee: Option<u128>,
}

/// At which block a question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockRef {
    /// The newest mined block.
    Latest,
    /// The newest block plus what the node's pool would add to it.
    Pending,
    /// The block of this height.
    Number(u64),
}

/// A call that changes nothing (`eth_call`) or that asks for its gas (`eth_estimateGas`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRequest {
    /// The sender the contract sees.
    pub from: Address,
    /// The contract.
    pub to: Address,
    /// ABI-encoded input.
    pub data: Bytes,
    /// Gas limit; `None` leaves it to the node.
    pub gas: Option<u64>,
}

/// Which logs to return. Both ends of the block range are included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter {
    /// The contract that emitted them.
    pub address: Address,
    /// Topics by position; `None` matches anything.
    pub topics: [Option<B256>; 4],
    /// First block.
    pub from_block: u64,
    /// Last block.
    pub to_block: u64,
}

/// One event log of a mined transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogInfo {
    /// The contract that emitted it.
    pub address: Address,
    /// Indexed parts, the event's signature first.
    pub topics: Vec<B256>,
    /// The rest, ABI-encoded.
    pub data: Bytes,
    /// The transaction.
    pub transaction: B256,
    /// The block's height.
    pub block_number: u64,
}

/// The receipt of a mined transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptInfo {
    /// The transaction.
    pub transaction: B256,
    /// Whether it succeeded; a reverted one is mined too.
    pub status: bool,
    /// The block's height.
    pub block_number: u64,
    /// The block's hash.
    pub block_hash: B256,
    /// Gas used.
    pub gas_used: u64,
    /// Wei paid per gas.
    pub effective_gas_price: u128,
    /// Its logs in order; none when it reverted.
    pub logs: Vec<LogInfo>,
}

/// A mined transaction, as much of it as evidence needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionInfo {
    /// Its hash.
    pub hash: B256,
    /// The account that sent it.
    pub from: Address,
    /// The account that it calls; `None` when it creates a contract.
    pub to: Option<Address>,
    /// What it calls it with.
    pub input: Bytes,
}

/// Why a chain gave no usable answer. Texts never hold the node's URL, which may carry a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// No connection, or it broke.
    #[error("the chain's node cannot be reached: {0}")]
    Unreachable(String),
    /// No whole answer before the deadline.
    #[error("the chain's node did not answer in time")]
    Timeout,
    /// The answer is not what the JSON-RPC or Ethereum specification allows.
    #[error("the chain's node gave an unusable answer: {0}")]
    BadAnswer(String),
    /// The node answered with an error of its own.
    #[error("the chain's node refused: {message} (code {code})")]
    Refused {
        /// JSON-RPC error code.
        code: i64,
        /// The node's words, shortened.
        message: String,
    },
    /// The node serves another chain than configured.
    #[error("the node serves chain {found}, not {expected}")]
    WrongChain {
        /// The configured chain id.
        expected: u64,
        /// What the node says.
        found: u64,
    },
}

/// Why a call gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The contract reverted, or ran out of the gas it was given.
    #[error("reverted: {message}")]
    Revert {
        /// ABI-encoded revert data; empty when the node passes none on.
        data: Bytes,
        /// The decoded reason, or the node's words.
        message: String,
    },
    /// Nothing is known about the call.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// Why a node did not take a signed transaction.
///
/// Every variant but [`SendError::AlreadyKnown`] and [`SendError::Unsure`] means that this node holds no copy of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The node holds exactly this transaction already.
    #[error("already known")]
    AlreadyKnown,
    /// The account's next nonce is higher.
    #[error("nonce too low")]
    NonceTooLow,
    /// The node requires nonces without a gap, or the gap is too wide.
    #[error("nonce too high")]
    NonceTooHigh,
    /// Another transaction holds the nonce and pays too much to be replaced, or the fee is below the node's minimum.
    #[error("underpriced: {0}")]
    Underpriced(String),
    /// The settling account cannot pay for the gas.
    #[error("the settling account has too little native currency")]
    InsufficientFunds,
    /// Any other refusal.
    #[error("rejected: {0}")]
    Rejected(String),
    /// No clear answer: the transaction may have been taken.
    #[error("no clear answer: {0}")]
    Unsure(ChainError),
}

/// An EVM chain. Object-safe; every method may be called concurrently and must end within the implementation's own
/// deadline. Implementations never panic on what a node sends.
pub trait Chain: Send + Sync + 'static {
    /// The chain id that the node reports (`eth_chainId`).
    ///
    /// # Errors
    /// When no clear answer was had; the same holds for every method below.
    fn chain_id(&self) -> BoxFuture<'_, Result<u64, ChainError>>;

    /// The newest mined block.
    ///
    /// # Errors
    /// See [`Chain::chain_id`].
    fn latest_block(&self) -> BoxFuture<'_, Result<BlockInfo, ChainError>>;

    /// The block of a height; `None` when the chain is not that high.
    ///
    /// # Errors
    /// See [`Chain::chain_id`].
    fn block_by_number(&self, number: u64) -> BoxFuture<'_, Result<Option<BlockInfo>, ChainError>>;

    /// The code at an address at the newest block; empty for a plain account.
    ///
    /// # Errors
    /// See [`Chain::chain_id`].
    fn code(&self, address: Address) -> BoxFuture<'_, Result<Bytes, ChainError>>;

    /// Runs a call without changing anything.
    ///
    /// # Errors
    /// [`CallError::Revert`] when the contract said no, [`CallError::Chain`] when nothing is known.
    fn call(&self, request: CallRequest, at: BlockRef) -> BoxFuture<'_, Result<Bytes, CallError>>;

    /// Runs calls one after the other on the newest block, each in the state that the ones before it left, and keeps
    /// nothing. There are as many results as calls.
    ///
    /// # Errors
    /// [`ChainError::Refused`] from nodes that cannot do that; otherwise see [`Chain::chain_id`].
    fn call_in_turn(
        &self,
        requests: Vec<CallRequest>,
    ) -> BoxFuture<'_, Result<Vec<Result<Bytes, CallError>>, ChainError>>;

    /// The gas a call would need now.
    ///
    /// # Errors
    /// As for [`Chain::call`]; needing more than `request.gas` counts as a revert.
    fn estimate_gas(&self, request: CallRequest) -> BoxFuture<'_, Result<u64, CallError>>;

    /// How many transactions an account has sent: its next nonce.
    ///
    /// # Errors
    /// See [`Chain::chain_id`].
    fn transaction_count(
        &self,
        address: Address,
        at: BlockRef,
    ) -> BoxFuture<'_, Result<u64, ChainError>>;

    /// An account's native balance in wei at the newest block.
    ///
    /// # Errors
    /// See [`Chain::chain_id`].
    fn balance(&self, address: Address) -> BoxFuture<'_, Result<U256, ChainError>>;

    /// What the node suggests as priority fee per gas, in wei.
    ///
    /// # Errors
    /// See [`Chain::chain_id`].
    fn priority_fee(&self) -> BoxFuture<'_, Result<u128, ChainError>>;

    /// Broadcasts a signed transaction and returns its hash.
    ///
    /// # Errors
    /// See [`SendError`]: only [`SendError::Unsure`] leaves open whether the network has it.
    fn send_raw<'a>(&'a self, raw: &'a [u8]) -> BoxFuture<'a, Result<B256, SendError>>;

    /// A mined transaction's receipt; `None` while it is unknown or pending.
    ///
    /// # Errors
    /// See [`Chain::chain_id`].
    fn receipt(&self, transaction: B256) -> BoxFuture<'_, Result<Option<ReceiptInfo>, ChainError>>;

    /// A mined transaction; `None` while it is unknown or pending.
    ///
    /// # Errors
    /// See [`Chain::chain_id`].
    fn transaction(&self, hash: B256)
    -> BoxFuture<'_, Result<Option<TransactionInfo>, ChainError>>;

    /// The logs that match a filter, oldest first.
    ///
    /// # Errors
    /// See [`Chain::chain_id`].
    fn logs(&self, filter: LogFilter) -> BoxFuture<'_, Result<Vec<LogInfo>, ChainError>>;
}
