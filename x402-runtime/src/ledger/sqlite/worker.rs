//! Threads that own a connection, and the work that is handed to them.

use super::schema::store_error;
use super::sync::Syncer;
use super::table::{Fault, Table};
use super::writer::Writer;
use crate::ledger::{Commit, LedgerError};
use crate::telemetry::event;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Something to do on a connection, and somebody who waits for it.
pub(super) trait Job: Send {
    /// Does it. May be called again after a roll-back.
    fn run(&mut self, table: &mut Table) -> Result<(), rusqlite::Error>;
    /// How durable what it did must be before anybody hears of it.
    fn durability(&self) -> Commit;
    /// Answers whoever waits: with what [`Job::run`] found, or with the reason why it was not committed.
    fn finish(self: Box<Self>, failure: Option<LedgerError>);
}

struct Work<T, F> {
    operation: F,
    durability: Commit,
    result: Option<Result<T, LedgerError>>,
    reply: oneshot::Sender<Result<T, LedgerError>>,
}

impl<T: Send, F: FnMut(&mut Table) -> Result<T, Fault> + Send> Job for Work<T, F> {
    fn run(&mut self, table: &mut Table) -> Result<(), rusqlite::Error> {
        let done = (self.operation)(table);
        self.durability = table.take_asked();
        self.result = Some(match done {
            Ok(value) => Ok(value),
            Err(Fault::Operation(error)) => Err(error),
            Err(Fault::Engine(error)) => return Err(error),
        });
        Ok(())
    }

    fn durability(&self) -> Commit {
        self.durability
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
    pub(super) fn writer(table: Table, syncer: Syncer, queue: usize) -> io::Result<Self> {
        let writer = Writer::new(table, syncer);
        Self::start("x402-ledger", queue, move |jobs| writer.serve(&jobs))
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

    /// Has an operation done and waits for it, for a write until it is committed as durably as it asked for.
    pub(super) async fn run<T, F>(&self, operation: F) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        F: FnMut(&mut Table) -> Result<T, Fault> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Work {
            operation,
            durability: Commit::Soft,
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

/// Answers everybody in a group.
pub(super) fn answer(group: &mut Vec<Box<dyn Job>>, failure: Option<&LedgerError>) {
    for job in group.drain(..) {
        job.finish(failure.cloned());
    }
}
