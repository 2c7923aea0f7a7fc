//! Questions to the sandbox chain that change nothing.

use alloy_primitives::{B256, Bytes};

use super::engine::{self, Place};
use super::node::{Block, MAX_HISTORY, Node};
use crate::evm::chain::{
    BlockRef, CallError, CallRequest, ChainError, LogFilter, LogInfo, ReceiptInfo, TransactionInfo,
};

impl Node {
    pub(super) fn receipt(&self, hash: B256) -> Option<ReceiptInfo> {
        self.receipts.get(&hash).cloned()
    }

    pub(super) fn transaction(&self, hash: B256) -> Option<TransactionInfo> {
        self.sent.get(&hash).cloned()
    }

    pub(super) fn logs(&self, filter: &LogFilter) -> Vec<LogInfo> {
        let in_range =
            |block: &&Block| (filter.from_block..=filter.to_block).contains(&block.info.number);
        let receipts = self
            .blocks
            .iter()
            .filter(in_range)
            .flat_map(|block| &block.transactions);
        let logs = receipts
            .filter_map(|hash| self.receipts.get(hash))
            .flat_map(|receipt| &receipt.logs);
        logs.filter(|log| matches(filter, log)).cloned().collect()
    }

    /// `eth_call`. "Latest" runs as if in the block that would be mined now, because a block is mined the moment a
    /// transaction comes.
    pub(super) fn call(
        &self,
        now: u64,
        request: &CallRequest,
        at: BlockRef,
    ) -> Result<Bytes, CallError> {
        let latest = self.latest().number;
        let number = match at {
            BlockRef::Latest | BlockRef::Pending => {
                return engine::call(&self.world, self.next_place(now), request)
                    .map(|(output, _)| output);
            }
            BlockRef::Number(number) => number,
        };
        let unknown = || ChainError::BadAnswer(format!("no state of block {number}"));
        let info = self
            .block(number)
            .filter(|_| latest.saturating_sub(number) < MAX_HISTORY)
            .ok_or_else(unknown)?;
        let place = Place {
            chain_id: self.chain_id,
            number,
            timestamp: info.timestamp,
            base_fee: self.base_fee,
        };
        let later = self
            .blocks
            .iter()
            .rev()
            .take_while(|block| block.info.number > number);
        let undos = self
            .loose
            .iter()
            .rev()
            .chain(later.flat_map(|block| block.undo.iter().rev()));
        engine::call(self.world.before(undos), place, request).map(|(output, _)| output)
    }

    /// Runs calls as if in the block that would be mined now, each after the others, and takes everything back.
    pub(super) fn call_in_turn(
        &mut self,
        now: u64,
        requests: &[CallRequest],
    ) -> Vec<Result<Bytes, CallError>> {
        let place = self.next_place(now);
        let mut undos = Vec::with_capacity(requests.len());
        let results = requests
            .iter()
            .map(|request| {
                let (result, changes) = engine::call_and_keep(&self.world, place, request)?;
                undos.push(self.world.commit(changes));
                result
            })
            .collect();
        for undo in undos.into_iter().rev() {
            self.world.take_back(undo);
        }
        results
    }

    pub(super) fn estimate(&self, now: u64, request: &CallRequest) -> Result<u64, CallError> {
        engine::estimate(&&self.world, self.next_place(now), request)
    }
}

fn matches(filter: &LogFilter, log: &LogInfo) -> bool {
    log.address == filter.address
        && filter
            .topics
            .iter()
            .enumerate()
            .all(|(at, wanted)| wanted.is_none_or(|wanted| log.topics.get(at) == Some(&wanted)))
}
