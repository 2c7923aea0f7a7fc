//! What identifies a payment and what it was made for.

use alloy_primitives::{Address, B256};
use std::fmt;
use x402_model::network::Network;

/// The identity of a payment: which token on which network, who pays, and the authorization's nonce.
///
/// All four are needed. A nonce alone is chosen by the payer, so two payers can use the same one (EIP-3009 keeps used nonces
/// per authorizer), and the same authorizer may reuse a nonce in another token or on another chain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentKey {
    /// The CAIP-2 network the payment is made on.
    pub network: Network,
    /// The token contract.
    pub asset: Address,
    /// The account that signed the authorization and whose balance pays.
    pub payer: Address,
    /// The 32-byte EIP-3009 nonce.
    pub nonce: B256,
}

impl fmt::Display for PaymentKey {
    /// Writes `network/asset/payer/nonce`, all of it public on the chain.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            network,
            asset,
            payer,
            nonce,
        } = self;
        write!(f, "{network}/{asset}/{payer}/{nonce}")
    }
}

/// A digest of the request a payment was presented with (method, route, canonical query, body).
///
/// The ledger only stores and compares it; the gate computes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({})", B256::from(self.0))
    }
}
