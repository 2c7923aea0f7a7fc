//! The seller that the crash tests kill: SQLite on disk, anvil over JSON-RPC, fail points by environment.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a helper of tests: it stops at the first mistake and says where it listens"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use x402_runtime::ledger::SqliteLedger;
use x402_tests::seller::{Desk, Seller, Setup};
use x402_tests::settler;

/// A value that the test must give.
fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} must be set"))
}

#[tokio::main]
async fn main() {
    let folder = PathBuf::from(setting("CRASH_FOLDER"));
    let ledger = SqliteLedger::open(folder.join("ledger.sqlite")).expect("the ledger opens");
    let setup = Setup {
        ledger: Arc::new(ledger),
        // Short, so that the lease of a dead owner ends soon.
        handler_timeout: Duration::from_secs(1),
        settle_timeout: Duration::from_secs(2),
        ..Setup::new(settler::facilitator(&setting("CRASH_RPC")).await)
    };
    let listener = tokio::net::TcpListener::bind(setting("CRASH_LISTEN"))
        .await
        .expect("the port is free");
    let seller = Seller::serve(setup, Desk::logging_to(folder.join("runs")), listener).await;
    println!("ready {}", seller.origin());
    std::future::pending::<()>().await;
}
