//! The group commit: everything that waits goes into one transaction.
//!
//! A transaction is appended to the write-ahead log without fsync (`synchronous=NORMAL`). Who needs no more is answered then;
//! who needs it on the disk is passed to the [`Syncer`], which makes the whole log file durable, in the order in which it was
//! written, while the next transaction is put together here. One fsync covers every group that came before it, the soft steps
//! in them too. (A checkpoint syncs the log before it moves pages, and the file after.)

use super::schema::store_error;
use super::sync::Syncer;
use super::table::{Fault, Table};
use super::worker::{Job, answer};
use crate::ledger::Commit;
use crate::telemetry::event;
use rusqlite::ErrorCode;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

/// How many operations one transaction takes at most: bounds how long the first of them waits.
const MAX_GROUP: usize = 1_024;

/// How long a group gathers while buyers come side by side: a page that many of them change is then written once for all.
const GATHER: Duration = Duration::from_micros(200);

pub(super) struct Writer {
    table: Table,
    syncer: Syncer,
}

impl Writer {
    pub(super) const fn new(table: Table, syncer: Syncer) -> Self {
        Self { table, syncer }
    }

    /// Writes until nobody can send any more, or until the disk fails.
    pub(super) fn serve(mut self, jobs: &Receiver<Box<dyn Job>>) {
        let mut group = Vec::new();
        let mut last_group = 0;
        while let Ok(first) = jobs.recv() {
            group.push(first);
            if last_group > 1 {
                thread::sleep(GATHER);
            }
            group.extend(jobs.try_iter().take(MAX_GROUP - 1));
            last_group = group.len();
            if let Err(error) = self.commit(&mut group) {
                tracing::error!(name: event::LEDGER_STOPPED, %error, "the payment ledger's storage failed; no payment is taken until a restart");
                return;
            }
            if self.syncer.has_failed() {
                // It has said so, and has answered those who waited for it.
                return;
            }
        }
        drop(self.syncer);
        if let Err((_, error)) = self.table.into_connection().close() {
            tracing::warn!(%error, "the payment ledger was not closed cleanly");
        }
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
                self.release(alone, one.as_ref().err());
                outcome = outcome.and(one);
            }
        }
        self.release(std::mem::take(group), outcome.as_ref().err());
        match outcome {
            // After a failed write nobody knows what of the log is on the disk. Opening the file again reads what is really
            // there.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) => {
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// Answers those whose step is taken, and lets the others wait for the disk.
    fn release(&self, mut group: Vec<Box<dyn Job>>, failure: Option<&rusqlite::Error>) {
        if let Some(error) = failure {
            answer(&mut group, Some(&store_error(error)));
            return;
        }
        let (hard, mut soft): (Vec<_>, Vec<_>) = group
            .into_iter()
            .partition(|job| job.durability() == Commit::Hard);
        // First, so that the disk works while the others are woken.
        self.syncer.sync(hard);
        answer(&mut soft, None);
    }

    fn transact(&mut self, group: &mut [Box<dyn Job>]) -> Result<(), rusqlite::Error> {
        let outcome = self.attempt(group);
        if outcome.is_err() {
            self.roll_back();
        }
        outcome
    }

    fn attempt(&mut self, group: &mut [Box<dyn Job>]) -> Result<(), rusqlite::Error> {
        self.execute("BEGIN IMMEDIATE")?;
        self.table.start().map_err(engine)?;
        for job in group.iter_mut() {
            job.run(&mut self.table)?;
        }
        self.execute("COMMIT")
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
