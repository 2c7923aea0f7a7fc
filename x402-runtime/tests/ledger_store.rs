//! Both stores against the conformance suite, and what is particular to the file.
#![cfg(feature = "sqlite")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod ledger_common;
#[path = "ledger_common/steps.rs"]
mod steps;

use ledger_common::{START_MS, payment};
use steps::{OWNER, answered, done, intend, settled, settling};
use tempfile::TempDir;
use x402_runtime::ledger::{
    Begin, Event, Ledger, LedgerError, MemoryLedger, SqliteLedger, SqliteOptions, State,
    conformance,
};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_conforms() {
    conformance::run(MemoryLedger::new).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_conforms() {
    let folder = folder();
    let mut n = 0;
    let open = || {
        n += 1;
        SqliteLedger::open(folder.path().join(format!("{n}.sqlite"))).unwrap()
    };
    conformance::run(open).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_survives_a_restart() {
    let folder = folder();
    conformance::run_reopened(|| SqliteLedger::open(folder.path().join("l.sqlite")).unwrap())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn g1_two_connections_reserve_once() {
    let folder = folder();
    let open = || SqliteLedger::open(folder.path().join("l.sqlite")).unwrap();
    conformance::run_shared(open(), open()).await.unwrap();
}

/// The suite is worth something: a store that forgets a rule does not pass.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_forgets_does_not_conform() {
    let folder = folder();
    let mut n = 0;
    let different = || {
        n += 1;
        SqliteLedger::open(folder.path().join(format!("{n}.sqlite"))).unwrap()
    };
    assert!(conformance::run_reopened(different).await.is_err());
    assert!(
        conformance::run_reopened(MemoryLedger::new)
            .await
            .unwrap_err()
            .contains("durability")
    );
    assert!(
        conformance::run_shared(MemoryLedger::new(), MemoryLedger::new())
            .await
            .is_err()
    );
    assert!(
        conformance::run(|| MemoryLedger::new().with_max_records(2))
            .await
            .is_err()
    );
}

/// C11: a file at its limit takes no new payment, finishes those it has, and works again once there is room.
#[tokio::test]
async fn c11_a_full_file_takes_no_new_payment_and_finishes_old_ones() {
    let folder = folder();
    let path = folder.path().join("l.sqlite");
    let options = SqliteOptions {
        max_bytes: Some(512 * 1024),
        ..SqliteOptions::default()
    };
    let ledger = SqliteLedger::open_with(&path, &options).unwrap();
    let mut records = Vec::new();
    let refused = loop {
        let n = 1 + records.len() as u64;
        match ledger.begin(payment(n, OWNER)).await {
            Ok(_) => records.push(payment(n, OWNER).key),
            Err(error) => break (n, error),
        }
    };
    assert_eq!(refused.1, LedgerError::Full);
    assert!(records.len() > 50, "{}", records.len());
    for key in &records[..20] {
        for event in [answered(b"x"), intend(), settled(), Event::Finalised] {
            done(&ledger, key, event).await;
        }
    }
    assert_eq!(ledger.purge(u64::MAX, 10).await.unwrap(), 10);
    assert!(matches!(
        ledger.begin(payment(refused.0, OWNER)).await.unwrap(),
        Begin::Reserved
    ));
}

/// C11: a disk that is full is an error, nothing is half written, and what was there stays.
#[tokio::test]
async fn c11_a_full_disk_is_an_error_and_nothing_is_half_written() {
    let folder = folder();
    let path = folder.path().join("l.sqlite");
    let options = SqliteOptions {
        max_bytes: Some(512 * 1024),
        ..SqliteOptions::default()
    };
    let ledger = SqliteLedger::open_with(&path, &options).unwrap();
    let first = payment(1, OWNER).key;
    ledger.begin(payment(1, OWNER)).await.unwrap();
    let before = ledger.get(&first).await.unwrap();
    let error = ledger
        .advance(&first, answered(&[7; 1024 * 1024]), START_MS)
        .await
        .unwrap_err();
    assert!(matches!(error, LedgerError::Store(_)), "{error:?}");
    assert_eq!(ledger.get(&first).await.unwrap(), before);
    // Others in the same group, and the same payment with a shorter answer, are not touched by it.
    done(&ledger, &first, answered(b"short")).await;
    done(&ledger, &first, intend()).await;
    drop(ledger);
    let ledger = SqliteLedger::open(&path).unwrap();
    assert_eq!(
        ledger.get(&first).await.unwrap().unwrap().state,
        State::Settling
    );
}

#[tokio::test]
async fn a_blocked_file_is_an_overload_and_reading_goes_on() {
    let folder = folder();
    let path = folder.path().join("l.sqlite");
    let ledger = SqliteLedger::open(&path).unwrap();
    let record = settling(&ledger, 1).await;
    // Another program holds the write lock for longer than we wait.
    let options = SqliteOptions {
        busy_timeout: std::time::Duration::from_millis(20),
        ..SqliteOptions::default()
    };
    let hasty = SqliteLedger::open_with(&path, &options).unwrap();
    let blocker = rusqlite::Connection::open(&path).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(
        hasty.begin(payment(2, OWNER)).await.unwrap_err(),
        LedgerError::Overloaded
    );
    assert_eq!(
        hasty.get(&record.key).await.unwrap(),
        Some(record),
        "reading goes on"
    );
    blocker.execute_batch("COMMIT").unwrap();
    assert!(matches!(
        hasty.begin(payment(2, OWNER)).await.unwrap(),
        Begin::Reserved
    ));
}

#[tokio::test]
async fn a_full_queue_is_an_overload() {
    let folder = folder();
    let path = folder.path().join("l.sqlite");
    let options = SqliteOptions {
        queue: 4,
        ..SqliteOptions::default()
    };
    let ledger = std::sync::Arc::new(SqliteLedger::open_with(&path, &options).unwrap());
    let blocker = rusqlite::Connection::open(&path).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut waiting = Vec::new();
    for n in 0..16 {
        let ledger = std::sync::Arc::clone(&ledger);
        waiting.push(tokio::spawn(async move {
            ledger.begin(payment(n, OWNER)).await
        }));
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    blocker.execute_batch("COMMIT").unwrap();
    let mut overloaded = 0;
    for task in waiting {
        match task.await.unwrap() {
            Ok(begin) => assert!(matches!(begin, Begin::Reserved)),
            Err(error) => {
                assert_eq!(error, LedgerError::Overloaded);
                overloaded += 1;
            }
        }
    }
    assert!((1..=12).contains(&overloaded), "{overloaded}");
}

#[tokio::test]
async fn foreign_newer_and_damaged_files_are_refused_and_left_alone() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);

    std::fs::write(
        path("text"),
        "these are somebody's notes, not a database\n".repeat(50),
    )
    .unwrap();
    let before = std::fs::read(path("text")).unwrap();
    assert!(matches!(
        SqliteLedger::open(path("text")).unwrap_err(),
        LedgerError::Foreign(_)
    ));
    assert_eq!(std::fs::read(path("text")).unwrap(), before);

    rusqlite::Connection::open(path("other"))
        .unwrap()
        .execute_batch("CREATE TABLE theirs (x)")
        .unwrap();
    assert!(matches!(
        SqliteLedger::open(path("other")).unwrap_err(),
        LedgerError::Foreign(_)
    ));

    drop(SqliteLedger::open(path("newer")).unwrap());
    let conn = rusqlite::Connection::open(path("newer")).unwrap();
    conn.execute_batch("UPDATE meta SET value = 3 WHERE name = 'schema_version'")
        .unwrap();
    assert_eq!(
        SqliteLedger::open(path("newer")).unwrap_err(),
        LedgerError::TooNew { found: 3, known: 2 }
    );

    assert!(matches!(
        SqliteLedger::open(path("no/such/folder")).unwrap_err(),
        LedgerError::Store(_)
    ));
}

#[tokio::test]
async fn a_damaged_row_is_an_error_for_its_payment_only() {
    let folder = folder();
    let path = folder.path().join("l.sqlite");
    let ledger = SqliteLedger::open(&path).unwrap();
    let (bad, good) = (settling(&ledger, 1).await, settling(&ledger, 2).await);
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch("UPDATE payment SET amount = '-1' WHERE id = 1")
        .unwrap();
    assert!(matches!(
        ledger.get(&bad.key).await,
        Err(LedgerError::Corrupt(_))
    ));
    assert!(matches!(
        ledger.advance(&bad.key, settled(), START_MS).await,
        Err(LedgerError::Corrupt(_))
    ));
    assert!(
        matches!(
            ledger.begin(payment(1, OWNER)).await,
            Err(LedgerError::Corrupt(_))
        ),
        "damaged is not free"
    );
    assert_eq!(
        done(&ledger, &good.key, settled()).await.state,
        State::Settled
    );
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let path = folder.path().join("l.sqlite");
    let ledger = SqliteLedger::open(&path).unwrap();
    settling(&ledger, 1).await;
    for name in ["l.sqlite", "l.sqlite-wal", "l.sqlite-shm"] {
        let mode = std::fs::metadata(folder.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    drop(ledger);
    assert!(
        !folder.path().join("l.sqlite-wal").exists(),
        "closed cleanly"
    );
}

/// S13: the fsync of a hard step covers the soft steps before it. A power cut leaves the log up to some point after the last
/// fsync; whatever that point is, and whatever garbage follows, every soft step before an acknowledged hard one is there.
#[tokio::test]
async fn s13_a_hard_step_covers_the_soft_ones_before_it() {
    let folder = folder();
    let path = folder.path().join("l.sqlite");
    let wal = folder.path().join("l.sqlite-wal");
    let ledger = SqliteLedger::open(&path).unwrap();
    let length = || usize::try_from(std::fs::metadata(&wal).unwrap().len()).unwrap();
    let mut acknowledged = Vec::new();
    for n in 1..=12 {
        let record = settling(&ledger, n).await;
        acknowledged.push((length(), record));
        // Soft steps that no hard one follows may be lost.
        ledger.begin(payment(1_000 + n, OWNER)).await.unwrap();
    }
    let (main, log) = (std::fs::read(&path).unwrap(), std::fs::read(&wal).unwrap());
    for (case, (synced, _)) in acknowledged.iter().enumerate() {
        for extra in [0, 1, 1_000, 5_000] {
            let cut = folder.path().join(format!("cut-{case}-{extra}.sqlite"));
            let end = (synced + extra).min(log.len());
            let mut kept = log[..end].to_vec();
            kept.extend([0xa5; 700]);
            std::fs::write(&cut, &main).unwrap();
            std::fs::write(
                folder.path().join(format!("cut-{case}-{extra}.sqlite-wal")),
                kept,
            )
            .unwrap();
            let after = SqliteLedger::open(&cut).unwrap();
            for (_, record) in &acknowledged[..=case] {
                assert_eq!(after.get(&record.key).await.unwrap().as_ref(), Some(record));
            }
        }
    }
}
