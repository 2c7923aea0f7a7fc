//! EIP-3009 authorizations: what a buyer signs to let one transfer of an exact value happen once.

use alloy_primitives::{Address, B256, U256};

use super::eip712::{
    DomainSeparator, RECEIVE_WITH_AUTHORIZATION_TYPE_HASH, TRANSFER_WITH_AUTHORIZATION_TYPE_HASH,
    hash_words,
};

/// An EIP-3009 `TransferWithAuthorization` message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Authorization {
    /// The account that pays.
    pub from: Address,
    /// The account that is paid.
    pub to: Address,
    /// Atomic units of the token.
    pub value: U256,
    /// Unix seconds; the transfer may happen only after this time.
    pub valid_after: U256,
    /// Unix seconds; the transfer may happen only before this time.
    pub valid_before: U256,
    /// Any 32 bytes, usable once per payer and token.
    pub nonce: B256,
}

impl Authorization {
    /// The EIP-712 struct hash of this message as `TransferWithAuthorization`.
    #[must_use]
    pub fn struct_hash(&self) -> B256 {
        self.hash_as(TRANSFER_WITH_AUTHORIZATION_TYPE_HASH)
    }

    /// The EIP-712 struct hash of the same members as `ReceiveWithAuthorization`.
    #[must_use]
    pub fn receive_struct_hash(&self) -> B256 {
        self.hash_as(RECEIVE_WITH_AUTHORIZATION_TYPE_HASH)
    }

    /// The digest the payer signs in a token's domain.
    ///
    /// ```
    /// use alloy_primitives::{B256, U256, address};
    /// use x402_model::evm::{Authorization, Eip712Domain};
    /// let usdc = address!("0x036CbD53842c5426634e7929541eC2318f3dCF7e");
    /// let separator = Eip712Domain { name: "USDC".into(), version: "2".into(), chain_id: 84532, verifying_contract: usdc }.separator();
    /// let authorization = Authorization {
    ///     from: address!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
    ///     to: address!("0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
    ///     value: U256::from(10_000),
    ///     valid_after: U256::ZERO,
    ///     valid_before: U256::from(1_790_000_300),
    ///     nonce: B256::repeat_byte(7),
    /// };
    /// assert_eq!(authorization.digest(&separator), separator.digest(authorization.struct_hash()));
    /// ```
    #[must_use]
    pub fn digest(&self, separator: &DomainSeparator) -> B256 {
        separator.digest(self.struct_hash())
    }

    fn hash_as(&self, type_hash: B256) -> B256 {
        hash_words(&[
            type_hash,
            self.from.into_word(),
            self.to.into_word(),
            B256::from(self.value),
            B256::from(self.valid_after),
            B256::from(self.valid_before),
            self.nonce,
        ])
    }
}
