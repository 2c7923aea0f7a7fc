//! A ledger in an SQLite file: durable, for one machine.

mod accounts;
mod books;
mod holder;
mod offers;
mod rows;
mod schema;
mod sync;
mod table;
mod volume;
mod worker;
mod writer;

use super::account::Accounts;
use super::event::Event;
use super::key::PaymentKey;
use super::offers::SupersededOffer;
use super::record::{NewPayment, Record};
use super::store::{Advanced, Begin, Durability, Ledger, LedgerError, Twice};
use crate::facilitator::BoxFuture;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use sync::Syncer;
use table::Table;
use worker::Worker;

/// How an SQLite ledger is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteOptions {
    /// How long to wait for another process that writes. 5 seconds unless set.
    pub busy_timeout: Duration,
    /// How many operations may wait before further ones are refused with [`LedgerError::Overloaded`]. 4096 unless set.
    pub queue: usize,
    /// How large the file may grow. At seven eighths of it new payments are refused with [`LedgerError::Full`], so that those
    /// that were taken can be finished. Unlimited unless set.
    pub max_bytes: Option<u64>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            busy_timeout: Duration::from_secs(5),
            queue: 4_096,
            max_bytes: None,
        }
    }
}

/// A ledger in an SQLite file.
///
/// The file is in WAL mode and may be used by several processes of one machine. One thread writes and commits everything that
/// waits in one transaction. A second syncs the log, once for all transactions before it in which a step must be durable
/// ([`Commit::Hard`](super::Commit::Hard)), while the first goes on. A third reads. None needs a particular async runtime.
///
/// Created readable by its owner only (mode 0600): it holds signed authorizations and the answers that were sold.
///
/// After a failure of the disk itself (an I/O error, not a full disk) the ledger refuses everything with
/// [`LedgerError::Closed`] until it is opened again.
///
/// ```
/// use x402_runtime::ledger::{Durability, Ledger, SqliteLedger};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("payments.sqlite");
/// let ledger = SqliteLedger::open(path)?;
/// assert_eq!(ledger.durability(), Durability::Durable);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SqliteLedger {
    // The reader is dropped first: the connection closed last tidies up the file, and only the writer can.
    reader: Worker,
    writer: Worker,
    path: PathBuf,
    /// Whether this handle has seen to what counting settled payments needs.
    volume_indexed: AtomicBool,
}

impl SqliteLedger {
    /// Opens or creates the ledger at `path`. Blocks while the file is opened.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Foreign`] when the file belongs to another program, [`LedgerError::TooNew`] when a newer version wrote
    /// it, and [`LedgerError::Store`] when it cannot be opened, or lies on a file system without shared memory.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LedgerError> {
        Self::open_with(path, &SqliteOptions::default())
    }

    /// Opens or creates the ledger at `path` with options.
    ///
    /// # Errors
    ///
    /// As [`SqliteLedger::open`].
    pub fn open_with(path: impl AsRef<Path>, options: &SqliteOptions) -> Result<Self, LedgerError> {
        let path = path.as_ref();
        schema::create_file(path)?;
        let write = schema::open_writer(path, options.busy_timeout)?;
        let max_pages = options
            .max_bytes
            .map(|max_bytes| schema::limit_size(&write, max_bytes))
            .transpose()?;
        let read = schema::open_reader(path, options.busy_timeout)?;
        let thread = |error: std::io::Error| {
            LedgerError::Store(format!("no thread for the ledger: {error}"))
        };
        let log = schema::open_log(&write)?;
        let syncer = Syncer::start(move || log.sync_data()).map_err(thread)?;
        let writer =
            Worker::writer(Table::new(write, max_pages), syncer, options.queue).map_err(thread)?;
        let reader = Worker::reader(Table::new(read, None), options.queue).map_err(thread)?;
        Ok(Self {
            reader,
            writer,
            path: path.to_owned(),
            volume_indexed: AtomicBool::new(false),
        })
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Ledger for SqliteLedger {
    fn begin(&self, new: NewPayment) -> BoxFuture<'_, Result<Begin, LedgerError>> {
        Box::pin(async move {
            // Here and not in the writer's thread, which everybody waits for.
            let request = new.request.to_json();
            let record = Arc::new(Record::reserve(new));
            self.writer
                .run(move |table| table.begin(&record, &request))
                .await
        })
    }

    fn advance<'a>(
        &'a self,
        key: &'a PaymentKey,
        event: Event,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Advanced, LedgerError>> {
        let key = key.clone();
        Box::pin(
            self.writer
                .run(move |table| table.advance(&key, &event, now_ms)),
        )
    }

    fn advance_twice<'a>(
        &'a self,
        key: &'a PaymentKey,
        events: [Event; 2],
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Twice, LedgerError>> {
        let key = key.clone();
        Box::pin(
            self.writer
                .run(move |table| table.advance_twice(&key, &events, now_ms)),
        )
    }

    fn get<'a>(
        &'a self,
        key: &'a PaymentKey,
    ) -> BoxFuture<'a, Result<Option<Record>, LedgerError>> {
        let key = key.clone();
        Box::pin(self.reader.run(move |table| table.get(&key)))
    }

    fn due(&self, now_ms: u64, max: usize) -> BoxFuture<'_, Result<Vec<Record>, LedgerError>> {
        Box::pin(self.reader.run(move |table| table.due(now_ms, max)))
    }

    fn purge(&self, before_ms: u64, max: usize) -> BoxFuture<'_, Result<u64, LedgerError>> {
        Box::pin(self.writer.run(move |table| table.purge(before_ms, max)))
    }

    fn publish_offers<'a>(
        &'a self,
        endpoint: &'a str,
        accepts_json: &'a str,
        max_timeout_seconds: u64,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<SupersededOffer>, LedgerError>> {
        let (endpoint, accepts_json) = (endpoint.to_owned(), accepts_json.to_owned());
        Box::pin(
            self.writer.run(move |table| {
                table.publish(&endpoint, &accepts_json, max_timeout_seconds, now_ms)
            }),
        )
    }

    fn accounts(&self) -> &dyn Accounts {
        self
    }

    fn durability(&self) -> Durability {
        Durability::Durable
    }
}
