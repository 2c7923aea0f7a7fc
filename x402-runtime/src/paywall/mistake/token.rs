//! What can be wrong with an accepted token, once its contract was asked.

/// A token that is not what the settings say. Its text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenMistake {
    /// Nothing is at the token's address.
    #[error(
        "rail `{rail}`: there is no contract at {address} on {network}; correct the address or the network"
    )]
    Absent {
        /// The rail.
        rail: String,
        /// The address.
        address: String,
        /// The network.
        network: String,
    },
    /// The chain counts the token in other units.
    #[error(
        "rail `{rail}`: the token has {chain} decimals, not {said}, so every amount would be wrong; write `decimals: {chain}` in \
         `Rail::custom(Asset {{ … }})`, or correct the address"
    )]
    Decimals {
        /// The rail.
        rail: String,
        /// What the settings say.
        said: u8,
        /// What the contract says.
        chain: u8,
    },
    /// Signatures are made in another EIP-712 domain than the token's.
    #[error(
        "rail `{rail}`: the token's EIP-712 domain is not that of name {name:?}, version {version:?}, so it would refuse every \
         signature; {fix}"
    )]
    Domain {
        /// The rail.
        rail: String,
        /// The name that the settings say.
        name: String,
        /// The version that they say.
        version: String,
        /// What to write.
        fix: String,
    },
    /// The token takes no signed transfers.
    #[error(
        "rail `{rail}`: the token takes no signed transfers (EIP-3009); accept it through Permit2: `.permit2()` on the rail, or \
         `/permit2` behind its text"
    )]
    NoSignedTransfers {
        /// The rail.
        rail: String,
    },
    /// The token cannot be moved by Permit2.
    #[error(
        "rail `{rail}`: the token cannot be paid through Permit2 on {network}: either its contract keeps no allowances, or the \
         x402 proxy {proxy} is not on that chain; accept another token, or this one by `.eip3009()` if it takes signed transfers"
    )]
    NoPermit2 {
        /// The rail.
        rail: String,
        /// The network.
        network: String,
        /// The proxy's address.
        proxy: String,
    },
    /// A token of which only the address is known, and nobody to ask.
    #[error(
        "rail `{rail}`: only the token's address is known, and {reason}; describe the token with `Rail::custom(Asset {{ … }})`: \
         symbol, decimals, EIP-712 name and version, and how it moves"
    )]
    FactsMissing {
        /// The rail.
        rail: String,
        /// Why they could not be read.
        reason: String,
    },
    /// What the contract says is not enough to sell in the token.
    #[error("rail `{rail}`: {reason}")]
    Indescribable {
        /// The rail.
        rail: String,
        /// What is missing and what to do.
        reason: String,
    },
}

impl TokenMistake {
    /// A stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Absent { .. } => "token_absent",
            Self::Decimals { .. } => "token_decimals",
            Self::Domain { .. } => "token_domain",
            Self::NoSignedTransfers { .. } => "token_no_eip3009",
            Self::NoPermit2 { .. } => "token_no_permit2",
            Self::FactsMissing { .. } => "token_facts_missing",
            Self::Indescribable { .. } => "token_indescribable",
        }
    }
}
