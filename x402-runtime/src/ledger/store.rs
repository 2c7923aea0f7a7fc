//! What a store of payments must do.

use super::account::Accounts;
use super::event::Event;
use super::key::PaymentKey;
use super::offers::SupersededOffer;
use super::record::{NewPayment, Record};
use crate::facilitator::BoxFuture;
use std::sync::Arc;

/// A durable table of payments, moved only by compare-and-set through [`step`](super::step).
///
/// Several processes may use one store. Implementations are checked with [`conformance::run`](super::conformance::run).
///
/// # Errors
///
/// Every method fails with [`LedgerError`] when the store cannot be read or written. Callers must then neither serve nor
/// settle: the outcome of the failed call itself is open (it may have been written), but nothing after it may happen.
pub trait Ledger: Send + Sync + 'static {
    /// Reserves a payment if there is no record of it, else returns the record. Of any number of equal calls, in any number
    /// of processes, exactly one is answered [`Begin::Reserved`]. Need not be durable.
    fn begin(&self, new: NewPayment) -> BoxFuture<'_, Result<Begin, LedgerError>>;

    /// Loads the record, asks [`step`](super::step), and writes what it becomes, in one commit. What `step` calls
    /// [`Commit::Hard`](super::Commit::Hard) is on stable storage when this returns.
    fn advance<'a>(
        &'a self,
        key: &'a PaymentKey,
        event: Event,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Advanced, LedgerError>>;

    /// Two steps of one payment: applies the first event and, if that left a record, the second, each as
    /// [`advance`](Self::advance) does.
    ///
    /// The gate stores an answer and the intent to settle it like this. Whoever can, should write both in one commit, which is
    /// one trip less for every paid call; here it takes two.
    fn advance_twice<'a>(
        &'a self,
        key: &'a PaymentKey,
        events: [Event; 2],
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Twice, LedgerError>> {
        Box::pin(async move {
            let [first, second] = events;
            let first = self.advance(key, first, now_ms).await?;
            if !matches!(first, Advanced::Done(_)) {
                return Ok(Twice::First(first));
            }
            crate::failpoint("c3_answer_stored");
            self.advance(key, second, now_ms).await.map(Twice::Second)
        })
    }

    /// Reads a record.
    fn get<'a>(&'a self, key: &'a PaymentKey)
    -> BoxFuture<'a, Result<Option<Record>, LedgerError>>;

    /// Up to `max` records whose [`Record::due_ms`] is not after `now_ms`, longest due first, without their answers: whoever
    /// looks after them shows none, and many long ones would fill the memory.
    fn due(&self, now_ms: u64, max: usize) -> BoxFuture<'_, Result<Vec<Record>, LedgerError>>;

    /// Removes up to `max` records whose [`Record::closed_ms`] is before `before_ms` (the present minus the retention), and
    /// says how many.
    fn purge(&self, before_ms: u64, max: usize) -> BoxFuture<'_, Result<u64, LedgerError>>;

    /// Remembers `accepts_json` as the present terms of an endpoint, and returns earlier terms that may still be paid for.
    ///
    /// Publishing the present terms again changes nothing. Terms that come back become the present ones again.
    fn publish_offers<'a>(
        &'a self,
        endpoint: &'a str,
        accepts_json: &'a str,
        max_timeout_seconds: u64,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<SupersededOffer>, LedgerError>>;

    /// What this store keeps beside payments. A ledger that wraps another one gives that one's.
    fn accounts(&self) -> &dyn Accounts;

    /// Whether records survive the process.
    fn durability(&self) -> Durability;
}

/// The answer to [`Ledger::begin`].
#[derive(Clone, Debug, PartialEq)]
pub enum Begin {
    /// The payment was free; it now belongs to the caller.
    Reserved,
    /// There is a record already. It is unchanged.
    Exists(Arc<Record>),
}

/// The answer to [`Ledger::advance`].
#[derive(Clone, Debug, PartialEq)]
pub enum Advanced {
    /// The event was applied; this is the record now.
    Done(Arc<Record>),
    /// The event was applied, and removed the record.
    Removed,
    /// The event is not allowed in the state found, because somebody else was faster. Nothing changed; this is the record as
    /// it is, or `None` if there is none.
    Lost(Option<Arc<Record>>),
}

/// The answer to [`Ledger::advance_twice`].
#[derive(Clone, Debug, PartialEq)]
pub enum Twice {
    /// The first event was lost, or removed the record. The second was not looked at.
    First(Advanced),
    /// The first event was applied; this is what became of the second.
    Second(Advanced),
}

/// Whether a store survives the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Lost with the process: a restart forgets which payments were used and which are unknown.
    Volatile,
    /// Hard steps survive a crash and a power cut.
    Durable,
}

/// Why a store could not do its work. Callers answer 503; the text is for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// Too many payments are waiting to be written. Passes by itself.
    #[error("the ledger is overloaded")]
    Overloaded,
    /// As much is stored as was configured; no new payment is taken. Passes when old records are purged.
    #[error("the ledger is full")]
    Full,
    /// The store is not running any more.
    #[error("the ledger is closed")]
    Closed,
    /// The store failed to read or write.
    #[error("the ledger's store failed: {0}")]
    Store(String),
    /// What was read is not what was once written.
    #[error("the ledger's store is damaged: {0}")]
    Corrupt(String),
    /// The file belongs to another program.
    #[error("not a ledger file: {0}")]
    Foreign(String),
    /// The file was written by a newer version of this crate.
    #[error("the ledger file has schema version {found}, this program knows up to {known}")]
    TooNew {
        /// The version in the file.
        found: i64,
        /// The newest version this program can use.
        known: i64,
    },
}
