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

use x402_runtime::facilitator::BoxFuture;
use x402_runtime::ledger::{
    Accounts, Advanced, Begin, Durability, Event, Ledger, LedgerError, NewPayment, PaymentKey,
    Record, SqliteLedger, SupersededOffer,
};
use x402_tests::seller::{Desk, Seller, Setup};
use x402_tests::settler;

/// A store that takes every step by itself, as stores of other people may. SQLite writes an answer and the intent to settle it
/// in one commit, and nothing can crash between them.
struct OneByOne(SqliteLedger);

impl Ledger for OneByOne {
    fn begin(&self, new: NewPayment) -> BoxFuture<'_, Result<Begin, LedgerError>> {
        self.0.begin(new)
    }

    fn advance<'a>(
        &'a self,
        key: &'a PaymentKey,
        event: Event,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Advanced, LedgerError>> {
        self.0.advance(key, event, now_ms)
    }

    fn get<'a>(
        &'a self,
        key: &'a PaymentKey,
    ) -> BoxFuture<'a, Result<Option<Record>, LedgerError>> {
        self.0.get(key)
    }

    fn due(&self, now_ms: u64, max: usize) -> BoxFuture<'_, Result<Vec<Record>, LedgerError>> {
        self.0.due(now_ms, max)
    }

    fn purge(&self, before_ms: u64, max: usize) -> BoxFuture<'_, Result<u64, LedgerError>> {
        self.0.purge(before_ms, max)
    }

    fn publish_offers<'a>(
        &'a self,
        endpoint: &'a str,
        accepts_json: &'a str,
        max_timeout_seconds: u64,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<SupersededOffer>, LedgerError>> {
        self.0
            .publish_offers(endpoint, accepts_json, max_timeout_seconds, now_ms)
    }

    fn accounts(&self) -> &dyn Accounts {
        self.0.accounts()
    }

    fn durability(&self) -> Durability {
        self.0.durability()
    }
}

/// A value that the test must give.
fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} must be set"))
}

#[tokio::main]
async fn main() {
    let folder = PathBuf::from(setting("CRASH_FOLDER"));
    let ledger = SqliteLedger::open(folder.join("ledger.sqlite")).expect("the ledger opens");
    let between = std::env::var("X402_FAILPOINT").as_deref() == Ok("c3_answer_stored");
    let ledger: Arc<dyn Ledger> = match between {
        true => Arc::new(OneByOne(ledger)),
        false => Arc::new(ledger),
    };
    let setup = Setup {
        ledger,
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
