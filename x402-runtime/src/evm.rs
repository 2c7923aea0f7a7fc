//! Own settlement on EVM chains: a facilitator with an account of its own, over JSON-RPC or over the sandbox.
//!
//! [`EvmFacilitator`] verifies and settles. It asks its questions through [`Chain`], which
//! [`RpcChain`] answers from a node; the sandbox answers them in this process.
//!
//! ```no_run
//! use std::sync::Arc;
//! use x402_runtime::evm::{EvmConfig, EvmFacilitator, RpcChain, SettlerKey};
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let chain = RpcChain::connect("https://sepolia.base.org").await?;
//! let key = SettlerKey::from_file("/run/secrets/settler")?;
//! let facilitator = EvmFacilitator::new(Arc::new(chain), key, EvmConfig::default()).await?;
//! # drop(facilitator); Ok(()) }
//! ```

pub(crate) mod abi;
mod approving;
mod budget;
mod cache;
pub mod chain;
pub mod codes;
mod config;
mod core;
mod cost;
mod evidence;
mod exact;
mod facilitator;
mod facts;
mod gas;
mod inflight;
mod judge;
mod key;
mod nonce;
mod payment;
mod permit2;
mod permitted;
mod reason;
mod recover;
mod request;
mod rpc;
mod settle;
mod sponsor;
mod token;
mod verify;
mod watch;

pub use crate::facilitator::TokenFacts;
pub use chain::Chain;
pub use config::EvmConfig;
pub use cost::SettlePath;
pub use facilitator::{EvmFacilitator, EvmStartError, Identified, Repeat};
pub use facts::token_facts;
pub use key::{KeyError, SettlerKey};
pub use rpc::{RpcChain, RpcLimits};
pub use token::token_balance;
