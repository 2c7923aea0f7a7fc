//! Reads of Permit2 and its proxies: which nonces are used, what is approved, and what a proxy was called for.

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use x402_model::evm::permit2::{EXACT_PERMIT2_PROXY, PERMIT2, UPTO_PERMIT2_PROXY};

use crate::evm::abi::Approvable::allowanceCall;
use crate::evm::abi::ExactProxy::{self, PERMIT2Call};
use crate::evm::abi::Permit2Nonces::nonceBitmapCall;
use crate::evm::abi::UptoProxy;
use crate::evm::chain::{BlockRef, Chain, ChainError, TransactionInfo};
use crate::evm::payment::PaymentId;
use crate::evm::token::{Read, read};

/// Where a nonce is in Permit2's bitmap: the word, and the bit in it.
pub(crate) fn place(nonce: U256) -> (U256, U256) {
    let bit = nonce.byte(0);
    (nonce >> 8_usize, U256::ONE << usize::from(bit))
}

/// Whether a nonce is used: by a transfer of any token to anybody, or by its owner's word alone.
pub(crate) async fn nonce_used(
    chain: &dyn Chain,
    id: PaymentId,
    at: BlockRef,
) -> Result<Read<bool>, ChainError> {
    let (word, bit) = place(id.nonce.into());
    let call = nonceBitmapCall {
        owner: id.payer,
        word,
    };
    Ok(match read(chain, PERMIT2, &call, at).await? {
        Read::Value(bits) => Read::Value(bits & bit != U256::ZERO),
        Read::Unsupported => Read::Unsupported,
    })
}

/// How much of a token Permit2 may move for an owner.
pub(crate) async fn allowance(
    chain: &dyn Chain,
    token: Address,
    owner: Address,
) -> Result<Read<U256>, ChainError> {
    let call = allowanceCall {
        owner,
        spender: PERMIT2,
    };
    read(chain, token, &call, BlockRef::Latest).await
}

/// Whether the proxy is there and belongs to Permit2.
pub(crate) async fn has_proxy(chain: &dyn Chain, proxy: Address) -> Result<bool, ChainError> {
    Ok(read(chain, proxy, &PERMIT2Call {}, BlockRef::Latest).await? == Read::Value(PERMIT2))
}

/// What a proxy was told to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settlement {
    pub(crate) owner: Address,
    pub(crate) token: Address,
    pub(crate) nonce: U256,
    pub(crate) to: Address,
    pub(crate) amount: U256,
}

impl Settlement {
    /// Reads what a transaction that calls a proxy settles; `None` for transactions that call anything else.
    pub(crate) fn of(transaction: &TransactionInfo) -> Option<Self> {
        match transaction.to? {
            EXACT_PERMIT2_PROXY => Self::exact(&transaction.input),
            UPTO_PERMIT2_PROXY => Self::upto(&transaction.input),
            _ => None,
        }
    }

    fn exact(input: &Bytes) -> Option<Self> {
        let (permit, owner, witness) = if let Ok(call) = ExactProxy::settleCall::abi_decode(input) {
            (call.permit, call.owner, call.witness)
        } else {
            let call = ExactProxy::settleWithPermitCall::abi_decode(input).ok()?;
            (call.permit, call.owner, call.witness)
        };
        Some(Self {
            owner,
            token: permit.permitted.token,
            nonce: permit.nonce,
            to: witness.to,
            amount: permit.permitted.amount,
        })
    }

    fn upto(input: &Bytes) -> Option<Self> {
        let (permit, amount, owner, to) = if let Ok(call) = UptoProxy::settleCall::abi_decode(input)
        {
            (call.permit, call.amount, call.owner, call.witness.to)
        } else {
            let call = UptoProxy::settleWithPermitCall::abi_decode(input).ok()?;
            (call.permit, call.amount, call.owner, call.witness.to)
        };
        Some(Self {
            owner,
            token: permit.permitted.token,
            nonce: permit.nonce,
            to,
            amount,
        })
    }

    /// Whether it used this payment's nonce.
    pub(crate) fn uses(&self, id: PaymentId) -> bool {
        self.owner == id.payer && self.nonce == U256::from_be_bytes(id.nonce.0)
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::uint;

    use super::*;

    #[test]
    fn a_nonce_has_its_bit_in_its_word() {
        assert_eq!(place(U256::ZERO), (U256::ZERO, U256::ONE));
        assert_eq!(place(U256::from(255)), (U256::ZERO, U256::ONE << 255));
        assert_eq!(place(U256::from(256)), (U256::ONE, U256::ONE));
        assert_eq!(place(U256::MAX), (U256::MAX >> 8, uint!(1_U256) << 255));
    }
}
