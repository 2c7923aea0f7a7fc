//! Sell axum handlers by the call: the x402 gate, the payment ledger and settlement.
//!
//! Write a handler, put [`#[paid]`](macro@paid) on it, mount it on a [`Paywall`], and serve the paywall's router. Whoever asks
//! without paying hears the price (402); whoever pays is served once the money has moved.
//!
#![cfg_attr(feature = "sandbox", doc = "```")]
#![cfg_attr(not(feature = "sandbox"), doc = "```ignore")]
//! use axum::{body::Body, extract::Path, http::{Request, StatusCode}};
//! use tower::ServiceExt;
//! use x402_runtime::{MemoryLedger, Network, Paid, Paywall, Rail, paid, sandbox::Sandbox};
//!
//! /// Greets by name.
//! #[paid(GET "/hello/{name}", price = "0.01 USDC")]
//! async fn hello(Path(name): Path<String>, paid: Paid) -> String {
//!     format!("Hello {name}, says {}", paid.payer)
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // A chain in this process; `evm::EvmFacilitator` settles on a real one in the same way.
//!     let chain = Sandbox::new()?;
//!     let paywall = Paywall::builder()
//!         .origin("https://api.example.com")
//!         .pay_to(chain.seller().to_string())
//!         .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
//!         .facilitator_arc(chain.facilitator())
//!         .ledger(MemoryLedger::new())
//!         .mount(hello)
//!         .build()
//!         .await?;
//!
//!     let app: axum::Router = paywall.router();
//!     let answer = app.oneshot(Request::get("/hello/Ada").body(Body::empty())?).await?;
//!     assert_eq!(answer.status(), StatusCode::PAYMENT_REQUIRED);
//!     assert!(answer.headers().contains_key("payment-required"));
//!
//!     paywall.shutdown().await;
//!     Ok(())
//! }
//! ```
//!
//! | to | see |
//! |---|---|
//! | sell | [`Paywall::builder`], [`Rail`], [`Paid`] |
//! | refuse payments by rules of your own, hear of settlements | [`hooks::SellerHooks`] |
//! | record payments durably | `SqliteLedger` (feature `sqlite`, on unless turned off); [`ledger::conformance`] for a store of your own |
//! | settle on a chain with an account of your own | `evm` (feature `evm`) |
//! | try it without a chain | `sandbox` (feature `sandbox`) |
//! | let others settle | `facilitator::http` (feature `http`, on unless turned off); [`facilitator::Facilitator`] for one of your own |

#[allow(
    unused_extern_crates,
    reason = "lets `#[paid]` be used in this crate's own tests"
)]
extern crate self as x402_runtime;

pub mod allowance;
pub mod bind;
pub mod clock;
pub mod config;
pub mod credit;
pub mod events;
pub mod extract;
pub mod facilitator;
mod failpoint;
mod gate;
pub mod handler;
mod headers;
pub mod hooks;
pub mod ledger;
pub mod manifest;
pub mod meter;
pub mod paywall;
mod project;
mod resolver;
pub mod secret;
pub mod siwx;
pub mod telemetry;
mod timeline;
mod verify;

#[cfg(feature = "evm")]
pub mod evm;
#[cfg(feature = "sandbox")]
pub mod sandbox;

#[doc(hidden)]
pub mod __private;

pub use credit::Credits;
pub use events::Events;
pub use extract::Paid;
pub use facilitator::Facilitator;
pub(crate) use failpoint::failpoint;
pub use hooks::SellerHooks;
pub use ledger::MemoryLedger;
#[cfg(feature = "sqlite")]
pub use ledger::SqliteLedger;
pub use meter::Meter;
pub use paywall::{BuildError, PaymentIds, Paywall, PaywallBuilder, Rail};
pub use siwx::Siwx;
pub use x402_macros::paid;
pub use x402_model as model;
pub use x402_model::network::Network;
