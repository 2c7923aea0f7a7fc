//! Sell axum handlers by the call: the x402 gate, the payment ledger and settlement.

#[allow(
    unused_extern_crates,
    reason = "lets `#[paid]` be used in this crate's own tests"
)]
extern crate self as x402_runtime;

pub mod bind;
pub mod clock;
pub mod config;
pub mod extract;
pub mod facilitator;
mod failpoint;
mod gate;
pub mod handler;
pub mod ledger;
pub mod paywall;
mod project;
mod resolver;
mod verify;

#[cfg(feature = "evm")]
pub mod evm;
#[cfg(feature = "sandbox")]
pub mod sandbox;

#[doc(hidden)]
pub mod __private;

pub(crate) use failpoint::failpoint;
pub use x402_macros::paid;
pub use x402_model as model;
