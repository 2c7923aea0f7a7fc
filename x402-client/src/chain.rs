//! What a buyer asks a chain before it pays through Permit2: whether Permit2 is approved, and what an approval takes.

use std::fmt;
use std::sync::Arc;

use alloy_primitives::{Address, U256};
use futures_util::future::BoxFuture;
use x402_model::network::Network;

mod rpc;

pub use rpc::JsonRpcReader;

/// Reads a few numbers from chains. Give one to [`crate::ClientBuilder::chain`], and the client approves Permit2 by itself
/// where it has to and the seller pays the gas ([`crate::select::Approvals`] limits it).
///
/// Nothing is paid because of what a reader says: at worst an approval is missing or needless. A reader that fails counts as
/// one that is not there.
pub trait ChainReader: Send + Sync + 'static {
    /// What `spender` may take of the owner's `token`, in atomic units: `allowance(owner, spender)`.
    fn allowance<'a>(
        &'a self,
        network: &'a Network,
        token: Address,
        owner: Address,
        spender: Address,
    ) -> BoxFuture<'a, Result<U256, ChainReadError>>;

    /// The nonce of the owner's next EIP-2612 permit of `token`: `nonces(owner)`.
    fn permit_nonce<'a>(
        &'a self,
        network: &'a Network,
        token: Address,
        owner: Address,
    ) -> BoxFuture<'a, Result<U256, ChainReadError>>;

    /// How many transactions an account has made, those that wait included.
    fn transaction_count<'a>(
        &'a self,
        network: &'a Network,
        account: Address,
    ) -> BoxFuture<'a, Result<u64, ChainReadError>>;

    /// What gas costs right now.
    fn fees<'a>(&'a self, network: &'a Network) -> BoxFuture<'a, Result<Fees, ChainReadError>>;
}

impl<C: ChainReader + ?Sized> ChainReader for Arc<C> {
    fn allowance<'a>(
        &'a self,
        network: &'a Network,
        token: Address,
        owner: Address,
        spender: Address,
    ) -> BoxFuture<'a, Result<U256, ChainReadError>> {
        (**self).allowance(network, token, owner, spender)
    }

    fn permit_nonce<'a>(
        &'a self,
        network: &'a Network,
        token: Address,
        owner: Address,
    ) -> BoxFuture<'a, Result<U256, ChainReadError>> {
        (**self).permit_nonce(network, token, owner)
    }

    fn transaction_count<'a>(
        &'a self,
        network: &'a Network,
        account: Address,
    ) -> BoxFuture<'a, Result<u64, ChainReadError>> {
        (**self).transaction_count(network, account)
    }

    fn fees<'a>(&'a self, network: &'a Network) -> BoxFuture<'a, Result<Fees, ChainReadError>> {
        (**self).fees(network)
    }
}

impl fmt::Debug for dyn ChainReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChainReader")
    }
}

/// The price of gas, in wei per gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// In all, at most.
    pub max_fee_per_gas: u128,
    /// For whoever builds the block, at most.
    pub max_priority_fee_per_gas: u128,
}

impl Fees {
    /// What approvals offer where the chain does not say: 1 gwei, of which 0.1 gwei is for the builder of the block.
    pub const FALLBACK: Self = Self {
        max_fee_per_gas: 1_000_000_000,
        max_priority_fee_per_gas: 100_000_000,
    };
}

/// Why a number could not be read from a chain. Never shows the endpoint, whose URL can hold a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainReadError {
    /// No endpoint for this network.
    #[error("no endpoint for this network")]
    NoEndpoint,
    /// The endpoint did not answer.
    #[error("the chain's endpoint does not answer")]
    Unreachable,
    /// The endpoint answered with an error, or with something that is no such number.
    #[error("the chain's endpoint gave no such number")]
    Answer,
}
