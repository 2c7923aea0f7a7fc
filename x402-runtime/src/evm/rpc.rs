//! A [`Chain`] over JSON-RPC: bounded in time and size, and believing nothing that is not well-formed.

mod answer;
mod error;
mod transport;

use std::fmt;
use std::time::Duration;

use alloy_json_rpc::{RpcRecv, RpcSend};
use alloy_primitives::{Address, B256, Bytes, U64, U128, U256, keccak256};
use alloy_rpc_client::RpcClient;
use serde_json::{Value, json};
use url::Url;

use crate::evm::chain::{
    BlockInfo, BlockRef, CallError, CallRequest, Chain, ChainError, LogFilter, LogInfo,
    ReceiptInfo, SendError, TransactionInfo,
};
use crate::facilitator::BoxFuture;
use answer::{BlockAnswer, LogAnswer, ReceiptAnswer, SimulatedBlock, TransactionAnswer};
use error::{call_error, chain_error, send_error};
use transport::Bounded;

/// Limits of one JSON-RPC call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RpcLimits {
    /// Time for a whole call: connecting, sending, and reading the answer to its end. Default 10 s.
    pub deadline: Duration,
    /// Bytes of one answer. Default 4 MiB.
    pub max_answer: usize,
}

impl Default for RpcLimits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(10),
            max_answer: 4 * 1024 * 1024,
        }
    }
}

impl RpcLimits {
    /// The same limits with another deadline.
    #[must_use]
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The same limits with another size of answers, in bytes.
    #[must_use]
    pub const fn with_max_answer(mut self, bytes: usize) -> Self {
        self.max_answer = bytes;
        self
    }
}

/// A node of an EVM chain, reached over HTTP(S).
///
/// The node is not trusted: answers are bounded, must carry the request's id and the right shape, and whatever is odd
/// becomes a typed error. Redirects are not followed, proxies of the environment (`HTTPS_PROXY` and its like) are not
/// used, and compressed answers are not asked for. The URL may hold a key, so neither `Debug` nor any error shows it.
#[derive(Clone)]
pub struct RpcChain {
    client: RpcClient,
    chain_id: u64,
}

impl RpcChain {
    /// Connects with the default limits and asks for the chain id.
    ///
    /// # Errors
    /// A [`ChainError`] when the URL is not `http` or `https`, or the node gives no clear answer.
    pub async fn connect(url: &str) -> Result<Self, ChainError> {
        Self::connect_with(url, RpcLimits::default()).await
    }

    /// Connects with other limits.
    ///
    /// # Errors
    /// As [`RpcChain::connect`].
    pub async fn connect_with(url: &str, limits: RpcLimits) -> Result<Self, ChainError> {
        // The parser's own message would repeat parts of the URL.
        let url = Url::parse(url)
            .map_err(|_| ChainError::Unreachable("the node's URL is malformed".to_owned()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ChainError::Unreachable(
                "the node's URL is neither http nor https".to_owned(),
            ));
        }
        let client = RpcClient::new(Bounded::new(url, limits)?, false);
        let mut chain = Self {
            client,
            chain_id: 0,
        };
        chain.chain_id = chain.chain_id().await?;
        Ok(chain)
    }

    async fn ask<P: RpcSend, R: RpcRecv>(
        &self,
        method: &'static str,
        params: P,
    ) -> Result<R, ChainError> {
        self.client
            .request(method, params)
            .await
            .map_err(chain_error)
    }

    async fn number(&self, method: &'static str, params: Vec<Value>) -> Result<u64, ChainError> {
        self.ask::<_, U64>(method, params)
            .await
            .map(|number| number.to::<u64>())
    }

    async fn block(&self, at: String) -> Result<Option<BlockInfo>, ChainError> {
        let block: Option<BlockAnswer> = self.ask("eth_getBlockByNumber", (at, false)).await?;
        Ok(block.map(BlockInfo::from))
    }

    async fn find_receipt(&self, transaction: B256) -> Result<Option<ReceiptInfo>, ChainError> {
        let receipt: Option<ReceiptAnswer> = self
            .ask("eth_getTransactionReceipt", (transaction,))
            .await?;
        receipt
            .map(|receipt| receipt.check(transaction))
            .transpose()
    }

    async fn find_transaction(&self, hash: B256) -> Result<Option<TransactionInfo>, ChainError> {
        let found: Option<TransactionAnswer> =
            self.ask("eth_getTransactionByHash", (hash,)).await?;
        found.map_or(Ok(None), |transaction| transaction.check(hash))
    }

    async fn simulate(
        &self,
        requests: &[CallRequest],
    ) -> Result<Vec<Result<Bytes, CallError>>, ChainError> {
        let calls: Vec<Value> = requests.iter().map(call_json).collect();
        // Senders need no money for gas here, as in `eth_call`.
        let body = json!({ "blockStateCalls": [{ "calls": calls }], "validation": false });
        let blocks: Vec<SimulatedBlock> = self.ask("eth_simulateV1", (body, "latest")).await?;
        let mut blocks = blocks.into_iter();
        match (blocks.next(), blocks.next()) {
            (Some(block), None) => block.results(requests.len()),
            _ => Err(ChainError::BadAnswer(
                "another number of blocks than simulated".to_owned(),
            )),
        }
    }

    async fn find_logs(&self, filter: LogFilter) -> Result<Vec<LogInfo>, ChainError> {
        let logs: Vec<LogAnswer> = self.ask("eth_getLogs", (filter_json(&filter),)).await?;
        logs.into_iter().map(|log| log.check(&filter)).collect()
    }

    async fn broadcast(&self, raw: &[u8]) -> Result<B256, SendError> {
        let request = self
            .client
            .request("eth_sendRawTransaction", (Bytes::copy_from_slice(raw),));
        let hash: B256 = request.await.map_err(send_error)?;
        if hash == keccak256(raw) {
            return Ok(hash);
        }
        // It may have sent ours and answered nonsense: the transaction must be looked for.
        Err(SendError::Unsure(ChainError::BadAnswer(
            "the node names another transaction".to_owned(),
        )))
    }
}

fn quantity(number: u64) -> String {
    format!("{number:#x}")
}

fn tag(at: BlockRef) -> String {
    match at {
        BlockRef::Latest => "latest".to_owned(),
        BlockRef::Pending => "pending".to_owned(),
        BlockRef::Number(number) => quantity(number),
    }
}

fn call_json(request: &CallRequest) -> Value {
    let mut call = json!({ "from": request.from, "to": request.to, "data": request.data });
    if let (Some(gas), Some(fields)) = (request.gas, call.as_object_mut()) {
        fields.insert("gas".to_owned(), quantity(gas).into());
    }
    call
}

fn filter_json(filter: &LogFilter) -> Value {
    // Positions after the last wanted topic must be left out: a node would ask for logs that have them.
    let wanted = filter
        .topics
        .iter()
        .rposition(Option::is_some)
        .map_or(0, |last| last.saturating_add(1));
    let topics: Vec<Option<B256>> = filter.topics.iter().take(wanted).copied().collect();
    json!({
        "address": filter.address,
        "topics": topics,
        "fromBlock": quantity(filter.from_block),
        "toBlock": quantity(filter.to_block),
    })
}

impl Chain for RpcChain {
    fn chain_id(&self) -> BoxFuture<'_, Result<u64, ChainError>> {
        Box::pin(self.number("eth_chainId", Vec::new()))
    }

    fn latest_block(&self) -> BoxFuture<'_, Result<BlockInfo, ChainError>> {
        Box::pin(async {
            let block = self.block(tag(BlockRef::Latest)).await?;
            block.ok_or_else(|| ChainError::BadAnswer("no latest block".to_owned()))
        })
    }

    fn block_by_number(&self, number: u64) -> BoxFuture<'_, Result<Option<BlockInfo>, ChainError>> {
        Box::pin(async move {
            let block = self.block(quantity(number)).await?;
            match block {
                Some(block) if block.number != number => Err(ChainError::BadAnswer(
                    "another block than asked for".to_owned(),
                )),
                block => Ok(block),
            }
        })
    }

    fn code(&self, address: Address) -> BoxFuture<'_, Result<Bytes, ChainError>> {
        Box::pin(self.ask("eth_getCode", (address, "latest")))
    }

    fn call(&self, request: CallRequest, at: BlockRef) -> BoxFuture<'_, Result<Bytes, CallError>> {
        Box::pin(async move {
            let answer = self
                .client
                .request("eth_call", (call_json(&request), tag(at)))
                .await;
            answer.map_err(call_error)
        })
    }

    fn call_in_turn(
        &self,
        requests: Vec<CallRequest>,
    ) -> BoxFuture<'_, Result<Vec<Result<Bytes, CallError>>, ChainError>> {
        Box::pin(async move { self.simulate(&requests).await })
    }

    fn estimate_gas(&self, request: CallRequest) -> BoxFuture<'_, Result<u64, CallError>> {
        Box::pin(async move {
            let gas: U64 = self
                .client
                .request("eth_estimateGas", (call_json(&request),))
                .await
                .map_err(call_error)?;
            Ok(gas.to::<u64>())
        })
    }

    fn transaction_count(
        &self,
        address: Address,
        at: BlockRef,
    ) -> BoxFuture<'_, Result<u64, ChainError>> {
        Box::pin(self.number(
            "eth_getTransactionCount",
            vec![json!(address), tag(at).into()],
        ))
    }

    fn balance(&self, address: Address) -> BoxFuture<'_, Result<U256, ChainError>> {
        Box::pin(self.ask("eth_getBalance", (address, "latest")))
    }

    fn priority_fee(&self) -> BoxFuture<'_, Result<u128, ChainError>> {
        Box::pin(async {
            let fee: U128 = self
                .ask("eth_maxPriorityFeePerGas", Vec::<Value>::new())
                .await?;
            Ok(fee.to::<u128>())
        })
    }

    fn send_raw<'a>(&'a self, raw: &'a [u8]) -> BoxFuture<'a, Result<B256, SendError>> {
        Box::pin(self.broadcast(raw))
    }

    fn receipt(&self, transaction: B256) -> BoxFuture<'_, Result<Option<ReceiptInfo>, ChainError>> {
        Box::pin(self.find_receipt(transaction))
    }

    fn transaction(
        &self,
        hash: B256,
    ) -> BoxFuture<'_, Result<Option<TransactionInfo>, ChainError>> {
        Box::pin(self.find_transaction(hash))
    }

    fn logs(&self, filter: LogFilter) -> BoxFuture<'_, Result<Vec<LogInfo>, ChainError>> {
        Box::pin(self.find_logs(filter))
    }
}

impl fmt::Debug for RpcChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RpcChain")
            .field("chain_id", &self.chain_id)
            .finish_non_exhaustive()
    }
}
