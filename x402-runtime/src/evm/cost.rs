//! What a settlement costs in gas, by the way it is made: for estimates before anything is signed.

use x402_model::evm::EvmKind;

/// A way to settle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SettlePath {
    /// The token's own signed transfer.
    Eip3009,
    /// Through the proxy of scheme `exact`.
    Permit2Exact,
    /// Through the proxy of scheme `upto`.
    Permit2Upto,
    /// Through a proxy, with an EIP-2612 permit in the same transaction.
    Permit2WithPermit,
    /// Through a proxy, after a transfer of native money to a payer that could not pay for its own approval. What is given
    /// comes on top: 70,000 gas at the price that the payer signed.
    Permit2WithApproval,
}

impl SettlePath {
    /// Every way.
    pub const ALL: [Self; 5] = [
        Self::Eip3009,
        Self::Permit2Exact,
        Self::Permit2Upto,
        Self::Permit2WithPermit,
        Self::Permit2WithApproval,
    ];

    /// The way a payment of a kind takes once Permit2 is approved.
    #[must_use]
    pub const fn of(kind: EvmKind) -> Self {
        match kind {
            EvmKind::Eip3009Exact => Self::Eip3009,
            EvmKind::Permit2Exact => Self::Permit2Exact,
            EvmKind::Permit2Upto => Self::Permit2Upto,
        }
    }

    /// About how much gas the settling account pays for one settlement.
    ///
    /// Measured with this repository's test token for a payer and a receiver that hold the token already; the test of this
    /// constant measures again, and another one with the published Permit2. A receiver without any adds 17,000. Tokens behind a proxy, such as
    /// USDC, take some 10,000 more. The data fee of roll-ups is not gas.
    ///
    /// ```
    /// use x402_runtime::evm::SettlePath;
    /// // At 0.01 gwei, in wei:
    /// let wei = u128::from(SettlePath::Permit2Exact.gas()) * 10_000_000;
    /// assert!(wei < 1_000_000_000_000);
    /// ```
    #[must_use]
    pub const fn gas(self) -> u64 {
        match self {
            Self::Eip3009 => 74_000,
            Self::Permit2Exact => 83_000,
            Self::Permit2Upto => 84_000,
            Self::Permit2WithPermit => 120_000,
            Self::Permit2WithApproval => 104_000,
        }
    }
}
