//! The sandbox chain's waiting transactions: what is taken in, replaced, and mined next.

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};

use super::node::Node;
use super::tx::PoolTx;
use crate::evm::chain::SendError;

/// Transactions that may wait.
const MAX_POOL: usize = 4_096;
/// How far ahead of the account a nonce may be.
const MAX_AHEAD: u64 = 1_024;

impl Node {
    /// Puts a transaction into the pool under the rules of a usual node.
    pub(super) fn submit(&mut self, tx: PoolTx) -> Result<(), SendError> {
        let next = self.nonce(tx.env.caller);
        if tx.env.chain_id.is_some_and(|id| id != self.chain_id) {
            return Err(SendError::Rejected("invalid chain id".to_owned()));
        }
        if tx.env.nonce < next {
            return Err(SendError::NonceTooLow);
        }
        let cost = U256::from(tx.env.gas_limit)
            .saturating_mul(U256::from(tx.env.gas_price))
            .saturating_add(tx.env.value);
        if cost > self.balance(tx.env.caller) {
            return Err(SendError::InsufficientFunds);
        }
        let waiting: usize = self.pool.values().map(BTreeMap::len).sum();
        if waiting >= MAX_POOL || tx.env.nonce.saturating_sub(next) > MAX_AHEAD {
            return Err(SendError::Rejected("txpool is full".to_owned()));
        }
        let slot = self.pool.entry(tx.env.caller).or_default();
        match slot.get(&tx.env.nonce) {
            Some(there) if there.hash == tx.hash => return Err(SendError::AlreadyKnown),
            Some(there) if !tx.outbids(there) => {
                return Err(SendError::Underpriced(
                    "replacement transaction underpriced".to_owned(),
                ));
            }
            _ => slot.insert(tx.env.nonce, tx),
        };
        Ok(())
    }

    /// The next nonce when the waiting transactions are counted too.
    pub(super) fn pending_nonce(&self, address: Address) -> u64 {
        let mut next = self.nonce(address);
        if let Some(waiting) = self.pool.get(&address) {
            while waiting.contains_key(&next) {
                next = next.saturating_add(1);
            }
        }
        next
    }

    pub(super) fn next_ready(&mut self) -> Option<PoolTx> {
        let (world, base_fee) = (&self.world, self.base_fee);
        let (account, nonce) = self.pool.iter().find_map(|(account, waiting)| {
            let nonce = world.account(*account).map_or(0, |info| info.nonce);
            let fits = waiting
                .get(&nonce)
                .is_some_and(|tx| tx.env.gas_price >= u128::from(base_fee));
            fits.then_some((*account, nonce))
        })?;
        let waiting = self.pool.get_mut(&account)?;
        let tx = waiting.remove(&nonce);
        // What is now below the account's nonce can never be mined.
        *waiting = waiting.split_off(&nonce);
        if waiting.is_empty() {
            self.pool.remove(&account);
        }
        tx
    }

    /// Empties the pool; the transactions are lost.
    pub(super) fn drop_pending(&mut self) -> usize {
        std::mem::take(&mut self.pool)
            .into_values()
            .map(|waiting| waiting.len())
            .sum()
    }
}
