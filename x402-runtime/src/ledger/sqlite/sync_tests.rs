use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::timeout;

use super::super::schema;
use super::super::table::{Fault, Table};
use super::super::worker::Worker;
use super::*;
use crate::ledger::Commit;

/// A step that must be on the disk before anybody hears of it, and one that need not.
#[derive(Clone, Copy)]
enum Step {
    Hard,
    Soft,
}

fn worker(folder: &Path, sync: impl FnMut() -> io::Result<()> + Send + 'static) -> Worker {
    let path = folder.join("l.sqlite");
    schema::create_file(&path).unwrap();
    let conn = schema::open_writer(&path, Duration::from_secs(1)).unwrap();
    Worker::writer(Table::new(conn, None), Syncer::start(sync).unwrap(), 64).unwrap()
}

async fn take(worker: &Worker, step: Step) -> Result<(), LedgerError> {
    worker
        .run(move |table| {
            if matches!(step, Step::Hard) {
                table.ask(Commit::Hard);
            }
            table
                .prepare("INSERT INTO offer (endpoint, accepts) VALUES ('e', 'a')")
                .and_then(|mut insert| insert.execute([]))
                .map(|_| ())
                .map_err(Fault::from)
        })
        .await
}

/// A disk that takes as long as it is told to.
fn slow_disk() -> (TempDir, Worker, Sender<()>) {
    let folder = tempfile::tempdir().unwrap();
    let (go, wait) = channel();
    let worker = worker(folder.path(), move || wait.recv().map_err(io::Error::other));
    (folder, worker, go)
}

#[tokio::test]
async fn s13_a_hard_step_waits_for_the_disk_and_soft_ones_do_not() {
    let (_folder, worker, go) = slow_disk();
    let mut hard = Box::pin(take(&worker, Step::Hard));
    let soon = Duration::from_millis(100);
    assert!(timeout(soon, &mut hard).await.is_err(), "before its sync");
    take(&worker, Step::Soft).await.unwrap();
    assert!(timeout(soon, &mut hard).await.is_err(), "before its sync");
    go.send(()).unwrap();
    hard.await.unwrap();
}

#[tokio::test]
async fn s13_a_sync_covers_no_step_that_was_taken_while_it_ran() {
    let (_folder, worker, go) = slow_disk();
    let mut first = Box::pin(take(&worker, Step::Hard));
    let soon = Duration::from_millis(100);
    assert!(timeout(soon, &mut first).await.is_err());
    let mut second = Box::pin(take(&worker, Step::Hard));
    assert!(timeout(soon, &mut second).await.is_err());
    go.send(()).unwrap();
    first.await.unwrap();
    assert!(
        timeout(soon, &mut second).await.is_err(),
        "it needs its own"
    );
    go.send(()).unwrap();
    second.await.unwrap();
}

#[tokio::test]
async fn c11_a_disk_that_fails_once_is_not_trusted_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut fails = true;
    let worker = worker(folder.path(), move || {
        match std::mem::replace(&mut fails, false) {
            true => Err(io::Error::other("EIO")),
            false => Ok(()),
        }
    });
    let failed = take(&worker, Step::Hard).await;
    assert!(matches!(failed, Err(LedgerError::Store(_))), "{failed:?}");
    // The writer may be about to take one more soft step, which promises nothing; then it is gone.
    let _ = take(&worker, Step::Soft).await;
    for step in [Step::Soft, Step::Hard] {
        assert_eq!(take(&worker, step).await, Err(LedgerError::Closed));
    }
}
