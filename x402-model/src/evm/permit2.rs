//! Permit2 transfers with a witness: what a buyer signs where the token itself takes no signed transfers.

mod payload;

use alloy_primitives::{Address, B256, U256, address};

use super::eip712::{
    DomainSeparator, EXACT_WITNESS_TYPE_HASH, PERMIT2_EXACT_TYPE_HASH, PERMIT2_UPTO_TYPE_HASH,
    TOKEN_PERMISSIONS_TYPE_HASH, UPTO_WITNESS_TYPE_HASH, hash_words, separator_without_version,
};

pub use payload::Permit2Payload;

/// The Permit2 contract, at the same address on every chain.
pub const PERMIT2: Address = address!("0x000000000022D473030F116dDEE9F6B43aC78BA3");
/// `x402ExactPermit2Proxy`, the spender of `exact` payments, at the same address on every chain.
pub const EXACT_PERMIT2_PROXY: Address = address!("0x402085c248EeA27D92E8b30b2C58ed07f9E20001");
/// `x402UptoPermit2Proxy`, the spender of `upto` payments, at the same address on every chain.
pub const UPTO_PERMIT2_PROXY: Address = address!("0x4020A4f3b7b90ccA423B9fabCc0CE57C6C240002");

/// The EIP-712 domain of Permit2 on a chain. It depends on nothing else, so it can be computed once and kept.
///
/// ```
/// use alloy_primitives::b256;
/// use x402_model::evm::permit2::separator;
/// let ethereum = b256!("0x866a5aba21966af95d6c7ab78eb2b2fc913915c28be3b9aa07cc04ff903e3f28");
/// assert_eq!(separator(1).0, ethereum);
/// assert_ne!(separator(8453).0, ethereum);
/// ```
#[must_use]
pub fn separator(chain_id: u64) -> DomainSeparator {
    separator_without_version("Permit2", chain_id, PERMIT2)
}

/// The token and the most of it that one signature lets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenPermissions {
    /// The token contract.
    pub token: Address,
    /// Atomic units of the token: what is paid under `exact`, the ceiling under `upto`.
    pub amount: U256,
}

/// What the spender must do with the money; it is part of what is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Witness {
    /// Scheme `exact`: the whole amount, sent by anybody.
    Exact {
        /// The account that is paid.
        to: Address,
        /// Unix seconds; the transfer may happen only from this time on.
        valid_after: U256,
    },
    /// Scheme `upto`: at most the amount, sent by one facilitator.
    Upto {
        /// The account that is paid.
        to: Address,
        /// The only account that may settle.
        facilitator: Address,
        /// Unix seconds; the transfer may happen only from this time on.
        valid_after: U256,
    },
}

impl Witness {
    /// The account that is paid.
    #[must_use]
    pub const fn to(&self) -> Address {
        match self {
            Self::Exact { to, .. } | Self::Upto { to, .. } => *to,
        }
    }

    /// Unix seconds; the transfer may happen only from this time on.
    #[must_use]
    pub const fn valid_after(&self) -> U256 {
        match self {
            Self::Exact { valid_after, .. } | Self::Upto { valid_after, .. } => *valid_after,
        }
    }

    /// The only account that may settle, under `upto`.
    #[must_use]
    pub const fn facilitator(&self) -> Option<Address> {
        match self {
            Self::Exact { .. } => None,
            Self::Upto { facilitator, .. } => Some(*facilitator),
        }
    }

    /// The contract that has to be the spender of a transfer with this witness.
    #[must_use]
    pub const fn proxy(&self) -> Address {
        match self {
            Self::Exact { .. } => EXACT_PERMIT2_PROXY,
            Self::Upto { .. } => UPTO_PERMIT2_PROXY,
        }
    }

    /// The EIP-712 struct hash.
    #[must_use]
    pub fn struct_hash(&self) -> B256 {
        match self {
            Self::Exact { to, valid_after } => hash_words(&[
                EXACT_WITNESS_TYPE_HASH,
                to.into_word(),
                B256::from(*valid_after),
            ]),
            Self::Upto {
                to,
                facilitator,
                valid_after,
            } => hash_words(&[
                UPTO_WITNESS_TYPE_HASH,
                to.into_word(),
                facilitator.into_word(),
                B256::from(*valid_after),
            ]),
        }
    }
}

/// A Permit2 `PermitWitnessTransferFrom` message, with the account that signs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Permit2Authorization {
    /// The account that pays. Not part of what is signed: Permit2 recovers or asks it.
    pub from: Address,
    /// The token and the most of it that may be taken.
    pub permitted: TokenPermissions,
    /// The contract that may take it: [`Witness::proxy`] in every good payment.
    pub spender: Address,
    /// Any number, usable once per payer, whatever the token.
    pub nonce: U256,
    /// Unix seconds; the transfer may happen only up to this time.
    pub deadline: U256,
    /// What the spender must do.
    pub witness: Witness,
}

impl Permit2Authorization {
    /// The EIP-712 struct hash.
    #[must_use]
    pub fn struct_hash(&self) -> B256 {
        let type_hash = match self.witness {
            Witness::Exact { .. } => PERMIT2_EXACT_TYPE_HASH,
            Witness::Upto { .. } => PERMIT2_UPTO_TYPE_HASH,
        };
        let permitted = hash_words(&[
            TOKEN_PERMISSIONS_TYPE_HASH,
            self.permitted.token.into_word(),
            B256::from(self.permitted.amount),
        ]);
        hash_words(&[
            type_hash,
            permitted,
            self.spender.into_word(),
            B256::from(self.nonce),
            B256::from(self.deadline),
            self.witness.struct_hash(),
        ])
    }

    /// The digest the payer signs, in the domain of [`separator`].
    ///
    /// ```
    /// use alloy_primitives::{Address, U256};
    /// use x402_model::evm::permit2::{self, Permit2Authorization, TokenPermissions, Witness};
    /// let witness = Witness::Exact { to: Address::repeat_byte(2), valid_after: U256::ZERO };
    /// let authorization = Permit2Authorization {
    ///     from: Address::repeat_byte(1),
    ///     permitted: TokenPermissions { token: Address::repeat_byte(3), amount: U256::from(10_000) },
    ///     spender: witness.proxy(),
    ///     nonce: U256::from(7),
    ///     deadline: U256::from(1_790_000_300),
    ///     witness,
    /// };
    /// let separator = permit2::separator(84532);
    /// assert_eq!(authorization.digest(&separator), separator.digest(authorization.struct_hash()));
    /// ```
    #[must_use]
    pub fn digest(&self, separator: &DomainSeparator) -> B256 {
        separator.digest(self.struct_hash())
    }
}
