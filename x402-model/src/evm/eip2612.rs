//! EIP-2612 permits: an allowance given by a signature instead of a transaction.

use alloy_primitives::{Address, B256, U256};

use super::eip712::{DomainSeparator, PERMIT_TYPE_HASH, hash_words};

/// An EIP-2612 `Permit` message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Permit {
    /// The account that gives the allowance.
    pub owner: Address,
    /// The account that gets it.
    pub spender: Address,
    /// The allowance, in atomic units of the token.
    pub value: U256,
    /// The owner's next permit nonce, as the token counts them.
    pub nonce: U256,
    /// Unix seconds; the permit may be used only up to this time.
    pub deadline: U256,
}

impl Permit {
    /// The EIP-712 struct hash.
    #[must_use]
    pub fn struct_hash(&self) -> B256 {
        hash_words(&[
            PERMIT_TYPE_HASH,
            self.owner.into_word(),
            self.spender.into_word(),
            B256::from(self.value),
            B256::from(self.nonce),
            B256::from(self.deadline),
        ])
    }

    /// The digest the owner signs, in the token's own [domain](super::Eip712Domain).
    #[must_use]
    pub fn digest(&self, separator: &DomainSeparator) -> B256 {
        separator.digest(self.struct_hash())
    }
}
