//! The thread that makes the write-ahead log durable, while the writer goes on.

use super::worker::{Job, answer};
use crate::ledger::LedgerError;
use crate::telemetry::event;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// How many groups may wait for the disk before the writer waits, too.
const MAX_GROUPS: usize = 64;

/// A thread that syncs a file and then answers those who waited for that.
pub(super) struct Syncer {
    queue: Option<SyncSender<Vec<Box<dyn Job>>>>,
    failed: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Syncer {
    /// Starts the thread. `sync` makes everything durable that was written before it is called.
    pub(super) fn start(sync: impl FnMut() -> io::Result<()> + Send + 'static) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(MAX_GROUPS);
        let failed = Arc::new(AtomicBool::new(false));
        let thread = {
            let failed = Arc::clone(&failed);
            std::thread::Builder::new()
                .name("x402-ledger-sync".to_owned())
                .spawn(move || serve(&receiver, sync, &failed))?
        };
        Ok(Self {
            queue: Some(sender),
            failed,
            thread: Some(thread),
        })
    }

    /// Has the disk hold what was written until now, then answers the group.
    pub(super) fn sync(&self, group: Vec<Box<dyn Job>>) {
        if group.is_empty() {
            return;
        }
        let refused = match &self.queue {
            Some(queue) => queue.send(group).err().map(|error| error.0),
            None => Some(group),
        };
        if let Some(mut group) = refused {
            answer(&mut group, Some(&LedgerError::Closed));
        }
    }

    /// Whether the disk failed, after which nothing may be written any more.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(name: event::LEDGER_STOPPED, "a thread of the payment ledger panicked");
        }
    }
}

fn serve(
    groups: &Receiver<Vec<Box<dyn Job>>>,
    mut sync: impl FnMut() -> io::Result<()>,
    failed: &AtomicBool,
) {
    while let Ok(mut group) = groups.recv() {
        group.extend(groups.try_iter().take(MAX_GROUPS).flatten());
        let Err(error) = sync() else {
            answer(&mut group, None);
            continue;
        };
        // Nobody knows what of the log is on the disk, and a later sync that succeeds does not say so either. Opening the file
        // again reads what is really there.
        failed.store(true, Ordering::Release);
        tracing::error!(name: event::LEDGER_STOPPED, %error, "the payment ledger's disk failed; no payment is taken until a restart");
        let failure = LedgerError::Store(format!("the disk did not take the log: {error}"));
        answer(&mut group, Some(&failure));
        return;
    }
}

#[cfg(test)]
#[path = "sync_tests.rs"]
mod tests;
