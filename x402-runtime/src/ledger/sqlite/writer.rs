//! The threads that own the connections, and the group commit.
//!
//! The writer takes everything that waits in its queue together: what needs no sync into one transaction, and then what must
//! be durable into another, so that one fsync covers all of it; while that fsync runs, the next group gathers.
//!
//! A transaction without a hard step is committed without fsync (`synchronous=NORMAL`): it is appended to the write-ahead log,
//! and the fsync of the next hard one covers it, because one fsync makes the whole log file durable, in the order in which it
//! was written. (A checkpoint syncs the log before it moves pages in either mode.) Whoever takes a soft step and then a hard
//! one waits for the first before it asks for the second, so taking soft ones first never changes anybody's order.

use super::schema::store_error;
use super::table::{Fault, Table};
use crate::ledger::{Commit, LedgerError};
use crate::telemetry::event;
use rusqlite::ErrorCode;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How many operations one transaction takes at most: bounds how long the first of them waits.
const MAX_GROUP: usize = 1_024;

/// How long a group that must be synced waits for those who were in the one before. Short against a sync, which it can save.
const GATHER: Duration = Duration::from_micros(200);

/// Something to do on a connection, and somebody who waits for it.
trait Job: Send {
    /// The durability it is expected to ask for.
    fn durability(&self) -> Commit;
    /// Does it. May be called again after a roll-back.
    fn run(&mut self, table: &mut Table) -> Result<(), rusqlite::Error>;
    /// Answers whoever waits: with what [`Job::run`] found, or with the reason why it was not committed.
    fn finish(self: Box<Self>, failure: Option<LedgerError>);
}

struct Work<T, F> {
    durability: Commit,
    operation: F,
    result: Option<Result<T, LedgerError>>,
    reply: oneshot::Sender<Result<T, LedgerError>>,
}

impl<T: Send, F: FnMut(&mut Table) -> Result<T, Fault> + Send> Job for Work<T, F> {
    fn durability(&self) -> Commit {
        self.durability
    }

    fn run(&mut self, table: &mut Table) -> Result<(), rusqlite::Error> {
        self.result = Some(match (self.operation)(table) {
            Ok(value) => Ok(value),
            Err(Fault::Operation(error)) => Err(error),
            Err(Fault::Engine(error)) => return Err(error),
        });
        Ok(())
    }

    fn finish(self: Box<Self>, failure: Option<LedgerError>) {
        let result = match failure {
            Some(error) => Err(error),
            None => self.result.unwrap_or(Err(LedgerError::Closed)),
        };
        // Whoever waited may be gone; the step is taken all the same.
        let _ = self.reply.send(result);
    }
}

/// A thread with a connection and a bounded queue of work.
#[derive(Debug)]
pub(super) struct Worker {
    queue: Option<SyncSender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts a thread that writes in groups.
    pub(super) fn writer(table: Table, queue: usize) -> io::Result<Self> {
        Self::start("x402-ledger", queue, move |jobs| {
            Writer {
                table,
                full: true,
                last_synced: 0,
            }
            .serve(&jobs)
        })
    }

    /// Starts a thread that only reads.
    pub(super) fn reader(table: Table, queue: usize) -> io::Result<Self> {
        Self::start("x402-ledger-read", queue, move |jobs| read(table, &jobs))
    }

    fn start(
        name: &str,
        queue: usize,
        serve: impl FnOnce(Receiver<Box<dyn Job>>) + Send + 'static,
    ) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(queue.max(1));
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || serve(receiver))?;
        Ok(Self {
            queue: Some(sender),
            thread: Some(thread),
        })
    }

    /// Has an operation done and waits for it, for a write until it is committed.
    pub(super) async fn run<T, F>(&self, durability: Commit, operation: F) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        F: FnMut(&mut Table) -> Result<T, Fault> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Work {
            durability,
            operation,
            result: None,
            reply,
        });
        let queue = self.queue.as_ref().ok_or(LedgerError::Closed)?;
        queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => LedgerError::Overloaded,
            TrySendError::Disconnected(_) => LedgerError::Closed,
        })?;
        // An error means that the thread is gone, and the job with it.
        answer.await.unwrap_or(Err(LedgerError::Closed))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Without senders the thread finishes what waits, closes its connection and ends.
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(name: event::LEDGER_STOPPED, "a thread of the payment ledger panicked");
        }
    }
}

fn read(mut table: Table, jobs: &Receiver<Box<dyn Job>>) {
    while let Ok(mut job) = jobs.recv() {
        let failure = job.run(&mut table).err().map(|error| store_error(&error));
        job.finish(failure);
    }
}

struct Writer {
    table: Table,
    /// Whether the connection is at `synchronous=FULL`.
    full: bool,
    /// How many operations the last synced group had.
    last_synced: usize,
}

impl Writer {
    fn serve(mut self, jobs: &Receiver<Box<dyn Job>>) {
        let mut group = Vec::new();
        while let Ok(first) = jobs.recv() {
            group.push(first);
            if let Err(error) = self.serve_group(&mut group, jobs) {
                tracing::error!(name: event::LEDGER_STOPPED, %error, "the payment ledger's storage failed; no payment is taken until a restart");
                return;
            }
        }
        if let Err((_, error)) = self.table.into_connection().close() {
            tracing::warn!(%error, "the payment ledger was not closed cleanly");
        }
    }

    /// Commits what waits: first what needs no sync, so that it does not wait for one, then the rest with one sync.
    fn serve_group(
        &mut self,
        group: &mut Vec<Box<dyn Job>>,
        jobs: &Receiver<Box<dyn Job>>,
    ) -> Result<(), rusqlite::Error> {
        group.extend(jobs.try_iter().take(MAX_GROUP - 1));
        let (mut hard, mut soft): (Vec<_>, Vec<_>) = group
            .drain(..)
            .partition(|job| job.durability() == Commit::Hard);
        if !soft.is_empty() {
            self.commit(&mut soft)?;
        }
        if hard.is_empty() {
            return Ok(());
        }
        // Whoever was in the last sync is likely to come again now, and would wait for a whole sync if it missed this one.
        let end = Instant::now() + GATHER;
        while hard.len() < self.last_synced.min(MAX_GROUP) {
            let Ok(job) = jobs.recv_timeout(end.saturating_duration_since(Instant::now())) else {
                break;
            };
            hard.push(job);
        }
        self.last_synced = hard.len();
        self.commit(&mut hard)
    }

    /// Commits a group and answers everybody in it. Fails when nothing may be written any more.
    fn commit(&mut self, group: &mut Vec<Box<dyn Job>>) -> Result<(), rusqlite::Error> {
        let mut outcome = self.transact(group);
        if let Err(error) = &outcome
            && group.len() > 1
            && !is_general(error)
        {
            // One of them cannot be written (too long, say). The others must not suffer for it.
            outcome = Ok(());
            for job in group.drain(..) {
                let mut alone = vec![job];
                let one = self.transact(&mut alone);
                answer(&mut alone, one.as_ref().err());
                outcome = outcome.and(one);
            }
        }
        answer(group, outcome.as_ref().err());
        match outcome {
            // After a failed fsync nobody knows what of the log is on the disk, and a later fsync that succeeds does not say
            // so either. Opening the file again reads what is really there.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) => {
                Err(error)
            }
            _ => Ok(()),
        }
    }

    fn transact(&mut self, group: &mut [Box<dyn Job>]) -> Result<(), rusqlite::Error> {
        let expected = group
            .iter()
            .map(|job| job.durability())
            .max()
            .unwrap_or(Commit::Soft);
        let mut outcome = self.attempt(group, expected);
        if matches!(outcome, Ok(asked) if asked > expected) {
            // The expectation was too low: nothing is committed, do it again.
            outcome = self.attempt(group, Commit::Hard);
        }
        if outcome.is_err() {
            self.roll_back();
        }
        outcome.map(|_| ())
    }

    /// Runs a group and commits it, unless more durability is asked for than was provided for; says how much was.
    fn attempt(
        &mut self,
        group: &mut [Box<dyn Job>],
        durability: Commit,
    ) -> Result<Commit, rusqlite::Error> {
        self.set_durability(durability)?;
        self.execute("BEGIN IMMEDIATE")?;
        self.table.start().map_err(engine)?;
        for job in group.iter_mut() {
            job.run(&mut self.table)?;
        }
        let asked = self.table.asked();
        if asked > durability {
            self.roll_back();
        } else {
            self.execute("COMMIT")?;
        }
        Ok(asked)
    }

    /// Cannot be changed inside a transaction, which is why it must be known before.
    fn set_durability(&mut self, durability: Commit) -> Result<(), rusqlite::Error> {
        let full = durability == Commit::Hard;
        if full != self.full {
            let level = if full { "FULL" } else { "NORMAL" };
            self.table
                .connection()
                .pragma_update(None, "synchronous", level)?;
            self.full = full;
        }
        Ok(())
    }

    fn roll_back(&mut self) {
        self.table.forget();
        // The engine may have rolled back by itself.
        if !self.table.connection().is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            tracing::error!(%error, "the payment ledger could not roll back");
        }
    }

    fn execute(&self, sql: &str) -> Result<(), rusqlite::Error> {
        self.table.connection().prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}

fn answer(group: &mut Vec<Box<dyn Job>>, failure: Option<&rusqlite::Error>) {
    let failure = failure.map(store_error);
    for job in group.drain(..) {
        job.finish(failure.clone());
    }
}

fn engine(fault: Fault) -> rusqlite::Error {
    match fault {
        Fault::Engine(error) => error,
        Fault::Operation(_) => rusqlite::Error::InvalidQuery,
    }
}

/// Whether an error has nothing to do with what was written, so that trying one by one is useless.
fn is_general(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code().is_some_and(|code| {
        !matches!(
            code,
            ErrorCode::TooBig | ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch
        )
    })
}
