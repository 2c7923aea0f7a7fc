//! The buyer's side of x402: pays APIs that answer 402, within a budget, exactly once per call.
#![cfg_attr(feature = "reqwest", doc = "")]
#![cfg_attr(feature = "reqwest", doc = include_str!("../README.md"))]

mod approval;
#[cfg(feature = "blocking")]
pub mod blocking;
mod budget;
pub mod chain;
mod client;
pub mod error;
pub mod flow;
pub mod hook;
mod payment;
mod receipt;
mod response;
pub mod select;
mod seller;
mod target;
pub mod telemetry;
mod terms;
pub mod time;
pub mod transport;
pub mod wallet;

pub use budget::{
    Budget, BudgetError, BudgetRefusal, DEFAULT_VOID_MARGIN, GiveBackError, Reservation, RestRule,
    VoidRule,
};
pub use chain::{ChainReader, JsonRpcReader};
pub use client::{
    Asked, Bought, Client, ClientBuilder, CreditBalance, CreditError, Credits, Missing,
    OfferedOption, Opened, PricedCall, RequestBuilder, ResponseStream, SetupError,
};
pub use error::Error;
pub use flow::RetryPolicy;
pub use hook::{Declined, PaymentHook};
pub use payment::PendingPayment;
pub use receipt::{Receipt, Settlement};
pub use response::{BodyError, Response};
pub use select::{Approvals, NetworkClass, Policy, Preference};
pub use seller::SellerProblem;
pub use target::ResourceRule;
pub use terms::{Terms, TermsError, Version};
#[cfg(feature = "reqwest")]
pub use transport::ReqwestTransport;
pub use wallet::{Wallet, WalletError};

/// What [`ResponseStream`] is.
pub use futures_util::stream::Stream;
/// The ways to pay: [`Receipt::kind`] and [`Policy::kinds`].
pub use x402_model::evm::EvmKind;
/// What money was taken, and what to do next: the words of [`Error::charged`] and [`Error::action`].
pub use x402_model::problem::{Action, Charged};
