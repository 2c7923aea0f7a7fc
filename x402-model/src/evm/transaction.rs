//! EIP-1559 transactions of one shape: a call of a contract without value and without access list.

use core::fmt;

use alloy_primitives::{Address, B256, Bytes, U256, hex, keccak256};

use super::rlp::{self, List, Malformed};
use super::signature::EcdsaParts;

/// The longest signed transaction read, in bytes. An approval has about 180.
pub const MAX_TRANSACTION_BYTES: usize = 1024;
/// The first four bytes of a call of `approve(address,uint256)`.
pub const APPROVE_SELECTOR: [u8; 4] = [0x09, 0x5e, 0xa7, 0xb3];

/// The type byte of EIP-1559 transactions.
const TYPE: u8 = 0x02;
/// Selector, spender, amount.
const APPROVE_BYTES: usize = 4 + 32 + 32;

/// A call of a contract, before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallTransaction {
    /// The EVM chain id.
    pub chain_id: u64,
    /// How many transactions the sender made before.
    pub nonce: u64,
    /// Wei per gas for whoever builds the block, at most.
    pub max_priority_fee_per_gas: u128,
    /// Wei per gas in all, at most.
    pub max_fee_per_gas: u128,
    /// Gas, at most.
    pub gas_limit: u64,
    /// The contract that is called.
    pub to: Address,
    /// What it is called with.
    pub data: Bytes,
}

/// A [`CallTransaction`] with the signature of its sender.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedCall {
    /// What was signed.
    pub transaction: CallTransaction,
    /// The sender's signature.
    pub signature: EcdsaParts,
}

/// Whoever has a signed transaction can send it, so the signature is not shown.
impl fmt::Debug for SignedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedCall")
            .field("transaction", &self.transaction)
            .finish_non_exhaustive()
    }
}

/// Why bytes are not a [`SignedCall`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransactionError {
    /// More than [`MAX_TRANSACTION_BYTES`].
    #[error("the transaction is longer than {MAX_TRANSACTION_BYTES} bytes")]
    TooLong,
    /// Another type than EIP-1559.
    #[error("the transaction is not one of EIP-1559")]
    Type,
    /// Not the canonical encoding of a call: damaged, with an access list, or the creation of a contract.
    #[error("the transaction is not a well-formed call")]
    Malformed,
    /// It moves the chain's own money.
    #[error("the transaction has a value")]
    Value,
    /// The chain takes no signature with such an `s` or recovery bit.
    #[error("the transaction's signature has no form that chains take")]
    Signature,
}

impl From<Malformed> for TransactionError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

impl CallTransaction {
    /// The digest that the sender signs.
    #[must_use]
    pub fn signing_hash(&self) -> B256 {
        keccak256(envelope(&self.members()))
    }

    /// The signed transaction, ready to be sent.
    #[must_use]
    pub fn encode_signed(&self, signature: &EcdsaParts) -> Vec<u8> {
        let mut members = self.members();
        rlp::put_integer(&mut members, &[u8::from(signature.y_parity)]);
        rlp::put_integer(&mut members, signature.r.as_slice());
        rlp::put_integer(&mut members, signature.s.as_slice());
        envelope(&members)
    }

    fn members(&self) -> Vec<u8> {
        let mut members = Vec::with_capacity(128);
        rlp::put_integer(&mut members, &self.chain_id.to_be_bytes());
        rlp::put_integer(&mut members, &self.nonce.to_be_bytes());
        rlp::put_integer(&mut members, &self.max_priority_fee_per_gas.to_be_bytes());
        rlp::put_integer(&mut members, &self.max_fee_per_gas.to_be_bytes());
        rlp::put_integer(&mut members, &self.gas_limit.to_be_bytes());
        rlp::put_bytes(&mut members, self.to.as_slice());
        rlp::put_integer(&mut members, &[]);
        rlp::put_bytes(&mut members, &self.data);
        members.extend_from_slice(&rlp::list(&[]));
        members
    }
}

fn envelope(members: &[u8]) -> Vec<u8> {
    let mut out = vec![TYPE];
    out.extend_from_slice(&rlp::list(members));
    out
}

impl SignedCall {
    /// Reads a signed transaction. Only its one canonical encoding is read, so that it prints as the same bytes.
    ///
    /// # Errors
    /// A [`TransactionError`] for everything but an EIP-1559 call without value and access list, with a low-s signature.
    pub fn decode(bytes: &[u8]) -> Result<Self, TransactionError> {
        if bytes.len() > MAX_TRANSACTION_BYTES {
            return Err(TransactionError::TooLong);
        }
        let body = bytes.strip_prefix(&[TYPE]).ok_or(TransactionError::Type)?;
        let mut list = List::read(body)?;
        let chain_id = u64::from_be_bytes(list.integer()?);
        let nonce = u64::from_be_bytes(list.integer()?);
        let max_priority_fee_per_gas = u128::from_be_bytes(list.integer()?);
        let max_fee_per_gas = u128::from_be_bytes(list.integer()?);
        let gas_limit = u64::from_be_bytes(list.integer()?);
        let to: [u8; 20] = list.bytes()?.try_into().map_err(|_| Malformed)?;
        let value = list.integer::<32>()?;
        let data = Bytes::copy_from_slice(list.bytes()?);
        list.empty_list()?;
        let y_parity = list.integer::<1>()?;
        let r = B256::from(list.integer::<32>()?);
        let s = B256::from(list.integer::<32>()?);
        list.end()?;
        if value != [0; 32] {
            return Err(TransactionError::Value);
        }
        let signature = EcdsaParts {
            r,
            s,
            y_parity: y_parity == [1],
        };
        if y_parity > [1] || r.is_zero() || s.is_zero() || !signature.is_low_s() {
            return Err(TransactionError::Signature);
        }
        Ok(Self {
            transaction: CallTransaction {
                chain_id,
                nonce,
                max_priority_fee_per_gas,
                max_fee_per_gas,
                gas_limit,
                to: Address::from(to),
                data,
            },
            signature,
        })
    }

    /// The bytes that [`SignedCall::decode`] read.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.transaction.encode_signed(&self.signature)
    }

    /// The transaction's hash on the chain.
    #[must_use]
    pub fn hash(&self) -> B256 {
        keccak256(self.encode())
    }
}

/// The call `approve(spender, amount)` of a token.
///
/// ```
/// use alloy_primitives::U256;
/// use x402_model::evm::permit2::PERMIT2;
/// use x402_model::evm::transaction::{approve_call, read_approve_call};
/// assert_eq!(read_approve_call(&approve_call(PERMIT2, U256::MAX)), Some((PERMIT2, U256::MAX)));
/// ```
#[must_use]
pub fn approve_call(spender: Address, amount: U256) -> Bytes {
    let mut data = Vec::with_capacity(APPROVE_BYTES);
    data.extend_from_slice(&APPROVE_SELECTOR);
    data.extend_from_slice(spender.into_word().as_slice());
    data.extend_from_slice(&amount.to_be_bytes::<32>());
    data.into()
}

/// Spender and amount of a call of `approve`; `None` unless it is exactly that.
#[must_use]
pub fn read_approve_call(data: &[u8]) -> Option<(Address, U256)> {
    let arguments: &[u8; APPROVE_BYTES - 4] =
        data.strip_prefix(&APPROVE_SELECTOR)?.try_into().ok()?;
    let (spender, amount) = arguments.split_first_chunk::<32>()?;
    let (padding, spender) = spender.split_first_chunk::<12>()?;
    if padding != &[0; 12] {
        return None;
    }
    Some((
        Address::try_from(spender).ok()?,
        U256::try_from_be_slice(amount)?,
    ))
}

/// `0x`-prefixed lower-case hex, for the wire.
pub(super) fn to_hex(bytes: &[u8]) -> String {
    hex::encode_prefixed(bytes)
}

#[cfg(test)]
#[path = "transaction_tests.rs"]
mod tests;
