//! Signed transactions on their way into the sandbox chain.

use alloy_consensus::transaction::SignerRecoverable;
use alloy_consensus::{Transaction, TxEnvelope};
use alloy_eips::eip2718::{Decodable2718, Typed2718};
use alloy_primitives::B256;
use revm::context::TxEnv;
use revm::context::either::Either;

use crate::evm::chain::SendError;

/// A transaction that waits to be mined.
#[derive(Debug, Clone)]
pub(super) struct PoolTx {
    pub(super) hash: B256,
    pub(super) env: TxEnv,
}

impl PoolTx {
    /// Decodes and checks a signed transaction.
    ///
    /// # Errors
    /// [`SendError::Rejected`] for anything a node would not take.
    pub(super) fn decode(raw: &[u8]) -> Result<Self, SendError> {
        let rejected = |why: &str| SendError::Rejected(why.to_owned());
        let tx =
            TxEnvelope::decode_2718_exact(raw).map_err(|_| rejected("malformed transaction"))?;
        if tx.is_eip4844() {
            return Err(rejected("blob transactions are not supported"));
        }
        let caller = tx
            .recover_signer()
            .map_err(|_| rejected("invalid sender"))?;
        let delegations = tx.authorization_list().unwrap_or_default();
        let env = TxEnv {
            tx_type: tx.ty(),
            caller,
            gas_limit: tx.gas_limit(),
            gas_price: tx.max_fee_per_gas(),
            kind: tx.kind(),
            value: tx.value(),
            data: tx.input().clone(),
            nonce: tx.nonce(),
            chain_id: tx.chain_id(),
            access_list: tx.access_list().cloned().unwrap_or_default(),
            gas_priority_fee: tx.max_priority_fee_per_gas(),
            authorization_list: delegations.iter().cloned().map(Either::Left).collect(),
            ..TxEnv::default()
        };
        Ok(Self {
            hash: *tx.tx_hash(),
            env,
        })
    }

    /// Whether this transaction pays enough more (ten percent in both fees) to take another one's place.
    pub(super) fn outbids(&self, other: &Self) -> bool {
        let enough = |new: u128, old: u128| new >= old.saturating_add(old.div_ceil(10));
        let tip = |tx: &Self| tx.env.gas_priority_fee.unwrap_or(tx.env.gas_price);
        enough(self.env.gas_price, other.env.gas_price) && enough(tip(self), tip(other))
    }

    /// Wei per gas that it pays at a base fee.
    pub(super) fn price(&self, base_fee: u64) -> u128 {
        let tip = self.env.gas_priority_fee.unwrap_or(self.env.gas_price);
        self.env
            .gas_price
            .min(u128::from(base_fee).saturating_add(tip))
    }
}
