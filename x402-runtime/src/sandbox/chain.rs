//! The sandbox as a [`Chain`]: the same questions a JSON-RPC node answers, and faults on demand.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U256};

use super::clock::SandboxClock;
use super::node::Node;
use super::tx::PoolTx;
use crate::clock::Clock;
use crate::evm::chain::{
    BlockInfo, BlockRef, CallError, CallRequest, Chain, ChainError, LogFilter, LogInfo,
    ReceiptInfo, SendError, TransactionInfo,
};
use crate::facilitator::BoxFuture;

/// What goes wrong with one broadcast; for tests of whoever settles over the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendFault {
    /// The node refuses the transaction with this text.
    Refuse(String),
    /// The node takes the transaction, but the answer is lost.
    LoseAnswer,
    /// The request is lost before the node sees it; the sender cannot tell.
    LoseRequest,
    /// The node says yes and forgets the transaction.
    Swallow,
    /// The node answers after this time.
    Delay(Duration),
}

/// Priority fee that the sandbox suggests, in wei.
const PRIORITY_FEE: u128 = 1_000_000;

#[derive(Debug)]
pub(super) struct Shared {
    node: Mutex<Node>,
    pub(super) clock: Arc<SandboxClock>,
    faults: Mutex<VecDeque<SendFault>>,
    unreachable: AtomicBool,
}

impl Shared {
    pub(super) const fn new(node: Node, clock: Arc<SandboxClock>) -> Self {
        Self {
            node: Mutex::new(node),
            clock,
            faults: Mutex::new(VecDeque::new()),
            unreachable: AtomicBool::new(false),
        }
    }

    pub(super) fn node(&self) -> MutexGuard<'_, Node> {
        // A panic in a test that holds the lock must not hide that test's own message behind a poisoned mutex.
        self.node.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> u64 {
        self.clock.now_seconds()
    }

    pub(super) fn add_fault(&self, fault: SendFault) {
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(fault);
    }

    pub(super) fn set_unreachable(&self, unreachable: bool) {
        self.unreachable.store(unreachable, Ordering::SeqCst);
    }

    fn next_fault(&self) -> Option<SendFault> {
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    }

    /// Answers one question, unless the chain is made to look dead.
    fn ask<T, E: From<ChainError>>(
        &self,
        answer: impl FnOnce(&mut Node, u64) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.unreachable.load(Ordering::SeqCst) {
            return Err(ChainError::Unreachable("the sandbox is switched off".to_owned()).into());
        }
        let now = self.now();
        let mut node = self.node();
        node.catch_up(now);
        answer(&mut node, now)
    }

    fn take(&self, raw: &[u8]) -> Result<B256, SendError> {
        let tx = PoolTx::decode(raw)?;
        let hash = tx.hash;
        let now = self.now();
        let mut node = self.node();
        node.catch_up(now);
        node.submit(tx)?;
        if node.automine {
            node.mine(now, true);
        }
        Ok(hash)
    }

    async fn send(&self, raw: &[u8]) -> Result<B256, SendError> {
        let lost = || SendError::Unsure(ChainError::Timeout);
        if self.unreachable.load(Ordering::SeqCst) {
            return Err(SendError::Unsure(ChainError::Unreachable(
                "the sandbox is switched off".to_owned(),
            )));
        }
        match self.next_fault() {
            None => self.take(raw),
            Some(SendFault::Refuse(text)) => Err(SendError::Rejected(text)),
            Some(SendFault::LoseRequest) => Err(lost()),
            Some(SendFault::LoseAnswer) => self.take(raw).and_then(|_| Err(lost())),
            Some(SendFault::Swallow) => PoolTx::decode(raw).map(|tx| tx.hash),
            Some(SendFault::Delay(time)) => {
                tokio::time::sleep(time).await;
                self.take(raw)
            }
        }
    }
}

/// A handle on the sandbox's chain without the sandbox itself, so that a facilitator does not keep itself alive.
#[derive(Debug, Clone)]
pub(super) struct SandboxChain(pub(super) Arc<Shared>);

fn ready<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, T> {
    Box::pin(std::future::ready(value))
}

impl Chain for SandboxChain {
    fn chain_id(&self) -> BoxFuture<'_, Result<u64, ChainError>> {
        ready(self.0.ask(|node, _| Ok(node.chain_id)))
    }

    fn latest_block(&self) -> BoxFuture<'_, Result<BlockInfo, ChainError>> {
        ready(self.0.ask(|node, _| Ok(node.latest())))
    }

    fn block_by_number(&self, number: u64) -> BoxFuture<'_, Result<Option<BlockInfo>, ChainError>> {
        ready(self.0.ask(|node, _| Ok(node.block(number))))
    }

    fn code(&self, address: Address) -> BoxFuture<'_, Result<Bytes, ChainError>> {
        ready(self.0.ask(|node, _| Ok(node.code(address))))
    }

    fn call(&self, request: CallRequest, at: BlockRef) -> BoxFuture<'_, Result<Bytes, CallError>> {
        ready(self.0.ask(|node, now| node.call(now, &request, at)))
    }

    fn call_in_turn(
        &self,
        requests: Vec<CallRequest>,
    ) -> BoxFuture<'_, Result<Vec<Result<Bytes, CallError>>, ChainError>> {
        ready(
            self.0
                .ask(|node, now| Ok(node.call_in_turn(now, &requests))),
        )
    }

    fn estimate_gas(&self, request: CallRequest) -> BoxFuture<'_, Result<u64, CallError>> {
        ready(self.0.ask(|node, now| node.estimate(now, &request)))
    }

    fn transaction_count(
        &self,
        address: Address,
        at: BlockRef,
    ) -> BoxFuture<'_, Result<u64, ChainError>> {
        ready(self.0.ask(|node, _| {
            Ok(match at {
                BlockRef::Pending => node.pending_nonce(address),
                BlockRef::Latest | BlockRef::Number(_) => node.nonce(address),
            })
        }))
    }

    fn balance(&self, address: Address) -> BoxFuture<'_, Result<U256, ChainError>> {
        ready(self.0.ask(|node, _| Ok(node.balance(address))))
    }

    fn priority_fee(&self) -> BoxFuture<'_, Result<u128, ChainError>> {
        ready(self.0.ask(|_, _| Ok(PRIORITY_FEE)))
    }

    fn send_raw<'a>(&'a self, raw: &'a [u8]) -> BoxFuture<'a, Result<B256, SendError>> {
        Box::pin(self.0.send(raw))
    }

    fn receipt(&self, transaction: B256) -> BoxFuture<'_, Result<Option<ReceiptInfo>, ChainError>> {
        ready(self.0.ask(|node, _| Ok(node.receipt(transaction))))
    }

    fn transaction(
        &self,
        hash: B256,
    ) -> BoxFuture<'_, Result<Option<TransactionInfo>, ChainError>> {
        ready(self.0.ask(|node, _| Ok(node.transaction(hash))))
    }

    fn logs(&self, filter: LogFilter) -> BoxFuture<'_, Result<Vec<LogInfo>, ChainError>> {
        ready(self.0.ask(|node, _| Ok(node.logs(&filter))))
    }
}
