//! A paywall whose handler waits, to weigh payments in flight.

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::routing::get;
use x402_runtime::{MemoryLedger, paid};

use super::{COUNT, ours};

static WAITING: AtomicUsize = AtomicUsize::new(0);

/// An answer that does not come.
#[paid(GET "/held", price = "0.01 USDC")]
async fn held() -> &'static str {
    WAITING.fetch_add(1, Ordering::Relaxed);
    std::future::pending().await
}

pub(super) async fn app() -> Result<Router, Box<dyn Error>> {
    let paywall = ours::builder()
        .ledger(MemoryLedger::new())
        .mount(held)
        .build()
        .await?;
    let count = get(async || WAITING.load(Ordering::Relaxed).to_string());
    Ok(paywall.router().route(COUNT, count))
}
