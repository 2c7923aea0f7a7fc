//! What a node answers, read strictly where it matters and tolerant of everything else.

use alloy_primitives::{Address, B256, Bytes, U64, U128};
use serde::Deserialize;

use crate::evm::abi::{revert_reason, shorten};
use crate::evm::chain::{
    BlockInfo, CallError, ChainError, LogFilter, LogInfo, ReceiptInfo, TransactionInfo,
};

fn bad<T>(what: &str) -> Result<T, ChainError> {
    Err(ChainError::BadAnswer(what.to_owned()))
}

/// A block's header. Roll-ups add members of their own, so unknown ones are ignored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BlockAnswer {
    number: U64,
    hash: B256,
    timestamp: U64,
    base_fee_per_gas: Option<U128>,
}

impl From<BlockAnswer> for BlockInfo {
    fn from(block: BlockAnswer) -> Self {
        Self {
            number: block.number.to(),
            hash: block.hash,
            timestamp: block.timestamp.to(),
            base_fee: block.base_fee_per_gas.map(|fee| fee.to()),
        }
    }
}

/// A log.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogAnswer {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
    transaction_hash: Option<B256>,
    block_number: Option<U64>,
    #[serde(default)]
    removed: Option<bool>,
}

impl LogAnswer {
    fn read(self) -> Result<LogInfo, ChainError> {
        let (Some(transaction), Some(block)) = (self.transaction_hash, self.block_number) else {
            return bad("a log of no block");
        };
        if self.removed == Some(true) {
            return bad("a log that a reorganisation removed");
        }
        Ok(LogInfo {
            address: self.address,
            topics: self.topics,
            data: self.data,
            transaction,
            block_number: block.to(),
        })
    }

    /// Reads a log and checks that it is one that was asked for.
    pub(super) fn check(self, filter: &LogFilter) -> Result<LogInfo, ChainError> {
        let log = self.read()?;
        let in_range = (filter.from_block..=filter.to_block).contains(&log.block_number);
        let mut wanted = filter
            .topics
            .iter()
            .enumerate()
            .filter_map(|(at, topic)| topic.map(|topic| (at, topic)));
        if in_range
            && log.address == filter.address
            && wanted.all(|(at, topic)| log.topics.get(at) == Some(&topic))
        {
            return Ok(log);
        }
        bad("a log that was not asked for")
    }
}

/// A receipt. The transaction's type is not read: foreign transactions may have types of their own.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReceiptAnswer {
    transaction_hash: B256,
    status: Option<U64>,
    block_number: Option<U64>,
    block_hash: Option<B256>,
    gas_used: U64,
    effective_gas_price: Option<U128>,
    logs: Vec<LogAnswer>,
}

impl ReceiptAnswer {
    /// Reads the receipt of a mined transaction, and checks that it is that transaction's.
    pub(super) fn check(self, transaction: B256) -> Result<ReceiptInfo, ChainError> {
        if self.transaction_hash != transaction {
            return bad("another transaction's receipt");
        }
        let (Some(block_number), Some(block_hash)) = (self.block_number, self.block_hash) else {
            return bad("a receipt of no block");
        };
        let status = match self.status.map(|status| status.to::<u64>()) {
            Some(0) => false,
            Some(1) => true,
            _ => return bad("a receipt without a status"),
        };
        let logs: Vec<LogInfo> = self
            .logs
            .into_iter()
            .map(LogAnswer::read)
            .collect::<Result<_, _>>()?;
        if logs.iter().any(|log| log.transaction != transaction) {
            return bad("a log of another transaction");
        }
        Ok(ReceiptInfo {
            transaction,
            status,
            block_number: block_number.to(),
            block_hash,
            gas_used: self.gas_used.to(),
            effective_gas_price: self.effective_gas_price.map_or(0, |price| price.to()),
            logs,
        })
    }
}

/// A transaction. Its type and signature are not read: foreign transactions may have forms of their own.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransactionAnswer {
    hash: B256,
    from: Address,
    to: Option<Address>,
    input: Bytes,
    block_number: Option<U64>,
}

impl TransactionAnswer {
    /// Reads a transaction and checks that it is the one that was asked for; `None` while it is pending.
    pub(super) fn check(self, hash: B256) -> Result<Option<TransactionInfo>, ChainError> {
        if self.hash != hash {
            return bad("another transaction");
        }
        Ok(self.block_number.map(|_| TransactionInfo {
            hash,
            from: self.from,
            to: self.to,
            input: self.input,
        }))
    }
}

/// The only block of an `eth_simulateV1` answer.
#[derive(Debug, Deserialize)]
pub(super) struct SimulatedBlock {
    calls: Vec<SimulatedCall>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SimulatedCall {
    status: U64,
    #[serde(default)]
    return_data: Bytes,
    error: Option<SimulatedError>,
}

#[derive(Debug, Deserialize)]
struct SimulatedError {
    #[serde(default)]
    message: String,
    data: Option<Bytes>,
}

impl SimulatedBlock {
    /// One result for each of `calls` calls.
    pub(super) fn results(self, calls: usize) -> Result<Vec<Result<Bytes, CallError>>, ChainError> {
        if self.calls.len() != calls {
            return bad("another number of results than of calls");
        }
        self.calls.into_iter().map(SimulatedCall::result).collect()
    }
}

impl SimulatedCall {
    fn result(self) -> Result<Result<Bytes, CallError>, ChainError> {
        match self.status.to::<u64>() {
            1 => Ok(Ok(self.return_data)),
            0 => {
                let (text, data) = self
                    .error
                    .map_or((String::new(), None), |error| (error.message, error.data));
                // Nodes put revert data in one of two places.
                let data = data.unwrap_or(self.return_data);
                let message = revert_reason(&data).unwrap_or_else(|| shorten(&text));
                Ok(Err(CallError::Revert { data, message }))
            }
            _ => bad("a simulated call without a status"),
        }
    }
}
