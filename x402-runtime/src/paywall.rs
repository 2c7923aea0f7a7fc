//! The seller's front door: put a paywall together, mount handlers on it, serve its router.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use x402_runtime::facilitator::Facilitator;
//! use x402_runtime::ledger::MemoryLedger;
//! use x402_runtime::model::network::Network;
//! use x402_runtime::paywall::{Paywall, Rail};
//!
//! # async fn run(facilitator: Arc<dyn Facilitator>) -> Result<(), Box<dyn std::error::Error>> {
//! let paywall: Paywall = Paywall::builder()
//!     .origin("https://api.example.com")
//!     .pay_to("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
//!     .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
//!     .facilitator_arc(facilitator)
//!     .ledger(MemoryLedger::default())
//!     // .mount(weather)
//!     .build()
//!     .await?;
//! let app = paywall.router();
//! # let _: axum::Router = app;
//! # Ok(())
//! # }
//! ```

mod builder;
mod cost;
mod desk;
mod lifecycle;
mod limits;
mod listing;
mod mistake;
mod mount;
mod publish;
mod rail;
mod start;
mod tokens;
mod warning;

use std::fmt;
use std::sync::Arc;

use axum::Router;

use crate::bind::BoundEndpoint;
use crate::credit::Credits;
use crate::gate::Core;
use crate::manifest::Published;
use crate::resolver;
use crate::telemetry::event;
use crate::timeline::Timeline;

pub use builder::PaywallBuilder;
pub use mistake::{BuildError, LifecycleMistake, Mistake, SigningMistake, TokenMistake};
pub use rail::{Rail, RailError};
pub use resolver::Recovered;
pub use warning::Warning;
pub use x402_model::endpoint::{Method, PaymentIds};

pub(crate) use cost::native_price;
pub(crate) use limits::{Limits, PROTOCOL_MARGIN_SECONDS, millis};
pub(crate) use rail::rail_id;
pub(crate) use tokens::Tokens;

/// Answer headers that a browser's scripts may only read when CORS exposes them
/// (`Access-Control-Expose-Headers`). The paywall sets no CORS headers itself.
pub const CORS_EXPOSE_HEADERS: [&str; 3] =
    ["PAYMENT-REQUIRED", "PAYMENT-RESPONSE", "X-PAYMENT-RESPONSE"];

/// Request headers that a browser's scripts may only send when CORS allows them (`Access-Control-Allow-Headers`).
/// Preflights (`OPTIONS`) are never charged.
pub const CORS_ALLOW_HEADERS: [&str; 2] = ["PAYMENT-SIGNATURE", "X-PAYMENT"];

/// Handlers behind a price: a router whose every route is gated, and the payments that pass through it.
///
/// Clones share one gate. The background work ends when the last clone and the last router are dropped.
pub struct Paywall<S = ()> {
    router: Router<S>,
    endpoints: Arc<[BoundEndpoint]>,
    manifest: Arc<Timeline<Published>>,
    warnings: Arc<[Warning]>,
    core: Arc<Core>,
    credits: Credits,
}

impl<S> Paywall<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Starts with nothing set. `S` is the state of the handlers, and is inferred.
    pub fn builder() -> PaywallBuilder<S> {
        PaywallBuilder::new()
    }

    /// The paid routes. Merge free routes into it, nest it, layer it; `with_state` as for any axum router.
    ///
    /// A path that no handler is mounted at is not matched, and a method that none is mounted for is answered 405.
    pub fn router(&self) -> Router<S> {
        self.router.clone()
    }

    /// What is sold, in the order of mounting, at the prices of the start.
    #[must_use]
    pub fn endpoints(&self) -> &[BoundEndpoint] {
        &self.endpoints
    }

    /// The credit that buyers have, if any plan is sold: to look at, and to pay back.
    #[must_use]
    pub const fn credits(&self) -> &Credits {
        &self.credits
    }

    /// The price manifest that holds now, which [`router`](Self::router) serves at [`WELL_KNOWN_PATH`].
    ///
    /// [`WELL_KNOWN_PATH`]: x402_model::manifest::WELL_KNOWN_PATH
    #[must_use]
    pub fn manifest(&self) -> &Published {
        self.manifest.at(self.core.clock.now_ms())
    }

    /// What was found at the start that is probably not meant, such as a price that costs more to settle than it earns. Each was
    /// logged too.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Looks once at every payment that was left in the middle, by this process or by one that is gone, and moves what can be
    /// moved. Runs when the paywall is built and from then on in the background.
    pub async fn recover(&self) -> Recovered {
        resolver::recover(&self.core).await
    }

    /// Refuses new paid requests with 503 and waits until those in flight have ended, within the drain timeout.
    ///
    /// Call it after the HTTP server has stopped accepting. `false` means that the time was not enough; what is left is
    /// finished by the next process that opens the ledger.
    pub async fn shutdown(&self) -> bool {
        let drained = self.core.drain().await;
        tracing::info!(name: event::SHUTDOWN, drained, "paywall shut down");
        drained
    }

    /// The headers to expose and to allow when browsers shall pay: [`CORS_EXPOSE_HEADERS`] and [`CORS_ALLOW_HEADERS`].
    #[must_use]
    pub const fn cors_headers() -> (&'static [&'static str], &'static [&'static str]) {
        (&CORS_EXPOSE_HEADERS, &CORS_ALLOW_HEADERS)
    }
}

impl<S> Clone for Paywall<S> {
    fn clone(&self) -> Self {
        Self {
            router: self.router.clone(),
            endpoints: Arc::clone(&self.endpoints),
            manifest: Arc::clone(&self.manifest),
            warnings: Arc::clone(&self.warnings),
            core: Arc::clone(&self.core),
            credits: self.credits.clone(),
        }
    }
}

impl<S> fmt::Debug for Paywall<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.endpoints.iter().map(BoundEndpoint::id).collect();
        f.debug_struct("Paywall")
            .field("endpoints", &ids)
            .field("core", &self.core)
            .finish_non_exhaustive()
    }
}
