//! What a facilitator that reads the chain can tell a seller at the start: about tokens, and about the cost of settling.

use alloy_primitives::B256;
use x402_model::asset::Eip712Name;

/// What a token's contract says of itself.
///
/// It is asked, not trusted: a malicious contract can claim anything. It is meant for finding mistakes in settings.
///
/// ```
/// use x402_runtime::facilitator::TokenFacts;
/// let mut facts = TokenFacts::default();
/// facts.decimals = Some(6);
/// assert!(!facts.eip3009);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenFacts {
    /// `name()`.
    pub name: Option<String>,
    /// `symbol()`.
    pub symbol: Option<String>,
    /// `decimals()`; without them an amount means nothing.
    pub decimals: Option<u8>,
    /// `DOMAIN_SEPARATOR()`: the hash of the domain in which signatures for the token are made.
    pub separator: Option<B256>,
    /// The EIP-712 domain, if its hash is the one that the contract uses.
    pub eip712: Option<Eip712Name>,
    /// Whether it takes signed transfers (EIP-3009).
    pub eip3009: bool,
    /// Whether it takes signed approvals (EIP-2612).
    pub eip2612: bool,
    /// Whether it can be paid through Permit2: it has allowances, and the proxy of scheme `exact` is on the chain.
    pub permit2_exact: bool,
    /// The same for scheme `upto`.
    pub permit2_upto: bool,
}

/// What came of a look at a token's contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenLook {
    /// The facilitator cannot read that chain.
    Unable,
    /// There is no contract at the address.
    Absent,
    /// What the contract says.
    Found(Box<TokenFacts>),
}

/// What the facilitator's account pays for one settlement now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettleCost {
    /// Units of gas, about.
    pub gas: u64,
    /// Wei per unit of gas: base fee and tip of the newest block.
    pub wei_per_gas: u128,
}
