//! The file: how it is created, recognised, opened and set up.

use super::rows::sortable;
use crate::ledger::LedgerError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// "x402" in ASCII; `file(1)` and backup tools show it.
const APPLICATION_ID: i64 = 0x7834_3032;

/// The newest schema this program knows. A change of the schema adds one and a migration from the one before.
pub(super) const SCHEMA_VERSION: i64 = 2;

/// Requests and answers lie in tables of their own, so that moving a payment does not rewrite them.
const SCHEMA: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE payment (
        id INTEGER PRIMARY KEY,
        nonce BLOB NOT NULL,
        payer BLOB NOT NULL,
        asset BLOB NOT NULL,
        network TEXT NOT NULL,
        state INTEGER NOT NULL,
        fingerprint BLOB NOT NULL,
        endpoint TEXT NOT NULL,
        amount TEXT NOT NULL,
        pay_to BLOB NOT NULL,
        valid_before INTEGER NOT NULL,
        owner INTEGER NOT NULL,
        lease_until_ms INTEGER NOT NULL,
        settlement TEXT,
        tx TEXT,
        attempts INTEGER NOT NULL,
        in_doubt INTEGER NOT NULL,
        refusal TEXT,
        created_ms INTEGER NOT NULL,
        updated_ms INTEGER NOT NULL,
        due_ms INTEGER,
        closed_ms INTEGER,
        UNIQUE (nonce, payer, asset, network)
    );
    CREATE INDEX payment_due ON payment (due_ms) WHERE due_ms IS NOT NULL;
    CREATE INDEX payment_closed ON payment (closed_ms) WHERE closed_ms IS NOT NULL;
    CREATE TABLE request (id INTEGER PRIMARY KEY, json TEXT NOT NULL);
    CREATE TABLE answer (id INTEGER PRIMARY KEY, status INTEGER NOT NULL, headers BLOB NOT NULL, body BLOB NOT NULL);
    CREATE TABLE offer (
        endpoint TEXT NOT NULL,
        accepts TEXT NOT NULL,
        max_timeout_s INTEGER,
        superseded_ms INTEGER,
        until_ms INTEGER
    );
    CREATE INDEX offer_endpoint ON offer (endpoint);
";

/// What finds the settled payments of one payer. Made when somebody first asks for them: every payment pays for an index.
pub(super) const VOLUME_INDEX: &str = "CREATE INDEX IF NOT EXISTS payment_volume ON payment (payer, endpoint, created_ms) \
     WHERE state IN (4, 5)";

/// The endpoints whose prices depend on what was bought before, and what was bought of them by payments that were purged. Made
/// when there is such an endpoint.
pub(super) const VOLUME_TABLES: &str = "
    CREATE TABLE IF NOT EXISTS volume_endpoint (endpoint TEXT PRIMARY KEY, window_ms INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS bought (
        payer BLOB NOT NULL,
        endpoint TEXT NOT NULL,
        presented_ms INTEGER NOT NULL,
        nonce BLOB NOT NULL,
        asset BLOB NOT NULL,
        network TEXT NOT NULL,
        amount TEXT NOT NULL,
        PRIMARY KEY (payer, endpoint, presented_ms, nonce, asset, network)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS bought_presented ON bought (endpoint, presented_ms);
";

/// What version 2 has beside payments. Part of new files too.
const BESIDE: &str = "
    CREATE TABLE counter (name TEXT PRIMARY KEY, used INTEGER NOT NULL, until_ms INTEGER) WITHOUT ROWID;
    CREATE INDEX counter_until ON counter (until_ms) WHERE until_ms IS NOT NULL;
    CREATE TABLE account (
        holder TEXT NOT NULL,
        unit TEXT NOT NULL,
        available TEXT NOT NULL,
        held TEXT NOT NULL,
        captured TEXT NOT NULL,
        PRIMARY KEY (holder, unit)
    ) WITHOUT ROWID;
    CREATE TABLE entry (
        reference TEXT PRIMARY KEY,
        holder TEXT NOT NULL,
        unit TEXT NOT NULL,
        amount TEXT NOT NULL,
        state INTEGER NOT NULL,
        captured TEXT,
        at_ms INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX entry_state ON entry (state, at_ms);
    CREATE TABLE used_once (name TEXT PRIMARY KEY, until_ms INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX used_once_until ON used_once (until_ms);
    CREATE TABLE purchase (
        payer BLOB NOT NULL,
        endpoint TEXT NOT NULL,
        name TEXT NOT NULL,
        nonce BLOB NOT NULL,
        asset BLOB NOT NULL,
        network TEXT NOT NULL,
        until_ms INTEGER NOT NULL,
        PRIMARY KEY (payer, endpoint, name)
    ) WITHOUT ROWID;
    CREATE INDEX purchase_until ON purchase (until_ms);
";

/// Creates the file if there is none, readable by its owner only: it holds signed authorizations and what was sold.
pub(super) fn create_file(path: &Path) -> Result<(), LedgerError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(file) => file
            .sync_all()
            .and_then(|()| sync_folder(path))
            .map_err(|error| io_error(path, &error)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(io_error(path, &error)),
    }
}

/// Makes the new name durable; the database engine does so for its own files only.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    if cfg!(unix) {
        File::open(folder)?.sync_all()
    } else {
        Ok(())
    }
}

fn io_error(path: &Path, error: &io::Error) -> LedgerError {
    LedgerError::Store(format!("{}: {error}", path.display()))
}

/// Opens the connection that writes, and creates the tables in a new file.
pub(super) fn open_writer(path: &Path, busy_timeout: Duration) -> Result<Connection, LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags).map_err(|error| store_error(&error))?;
    conn.busy_timeout(busy_timeout)
        .map_err(|error| store_error(&error))?;
    // Before anything is written: the file may be somebody else's.
    recognise(&conn)?;
    set_up(&conn).map_err(|error| store_error(&error))?;
    create_tables(&mut conn)?;
    Ok(conn)
}

/// Opens the write-ahead log of a connection that writes, to sync it. It stays the same file for as long as the connection is
/// open: only whoever closes the database last removes it.
pub(super) fn open_log(conn: &Connection) -> Result<File, LedgerError> {
    let path = conn
        .path()
        .filter(|path| !path.is_empty())
        .ok_or_else(|| LedgerError::Store("the ledger has no path".to_owned()))?;
    let log = PathBuf::from(format!("{path}-wal"));
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(&log)
        .and_then(|file| file.sync_all().map(|()| file))
        .and_then(|file| sync_folder(&log).map(|()| file))
        .map_err(|error| io_error(&log, &error))
}

/// Opens a connection that only reads. The writer must have opened the file before.
pub(super) fn open_reader(path: &Path, busy_timeout: Duration) -> Result<Connection, LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(|error| store_error(&error))?;
    conn.busy_timeout(busy_timeout)
        .map_err(|error| store_error(&error))?;
    prepare_once(&conn, 8).map_err(|error| store_error(&error))?;
    Ok(conn)
}

/// Whether the file is new and empty; an error if it is not ours.
fn recognise(conn: &Connection) -> Result<bool, LedgerError> {
    let id: i64 = pragma(conn, "application_id")?;
    if id == APPLICATION_ID {
        return Ok(false);
    }
    let tables: i64 = conn
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|error| store_error(&error))?;
    if id == 0 && tables == 0 {
        return Ok(true);
    }
    Err(LedgerError::Foreign(format!(
        "the file has application id {id:#x} and {tables} tables"
    )))
}

/// Keeps statements prepared. The planner must not look at bound values: it would prepare anew for each of them.
fn prepare_once(conn: &Connection, statements: usize) -> rusqlite::Result<()> {
    conn.set_prepared_statement_cache_capacity(statements);
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map(|_| ())
}

fn set_up(conn: &Connection) -> rusqlite::Result<()> {
    prepare_once(conn, 32)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    let mode: String =
        conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if !mode.eq_ignore_ascii_case("wal") {
        // Some network file systems; without it a commit is not what this store relies on.
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN),
            Some(format!(
                "the file system does not support WAL (journal mode stays {mode})"
            )),
        ));
    }
    // The log is synced by a thread of its own, after the commit. NORMAL still syncs at every checkpoint.
    conn.pragma_update(None, "synchronous", "NORMAL")?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "cache_size", -16_384)?;
    // A checkpoint holds everybody up; one of a longer log moves the pages that changed often only once.
    conn.pragma_update(None, "wal_autocheckpoint", 10_000)?;
    conn.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    Ok(())
}

/// Creates the tables, or checks the version of those that exist. Another process may be doing the same.
fn create_tables(conn: &mut Connection) -> Result<(), LedgerError> {
    let transaction = conn
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| store_error(&error))?;
    if recognise(&transaction)? {
        transaction
            .execute_batch(SCHEMA)
            .and_then(|()| transaction.execute_batch(BESIDE))
            .and_then(|()| transaction.pragma_update(None, "application_id", APPLICATION_ID))
            .and_then(|()| {
                transaction.execute(
                    "INSERT INTO meta (name, value) VALUES ('schema_version', ?1)",
                    [SCHEMA_VERSION],
                )
            })
            .map_err(|error| store_error(&error))?;
    }
    let found: i64 = transaction
        .query_row(
            "SELECT value FROM meta WHERE name = 'schema_version'",
            [],
            |row| row.get(0),
        )
        .map_err(|error| LedgerError::Corrupt(format!("no schema version: {error}")))?;
    if found > SCHEMA_VERSION {
        return Err(LedgerError::TooNew {
            found,
            known: SCHEMA_VERSION,
        });
    }
    if found < 1 {
        return Err(LedgerError::Corrupt(format!("schema version {found}")));
    }
    if found < 2 {
        // From version 1, the only one before: nothing that exists changes.
        transaction
            .execute_batch(BESIDE)
            .and_then(|()| {
                let sql = "UPDATE meta SET value = ?1 WHERE name = 'schema_version'";
                transaction.execute(sql, [SCHEMA_VERSION])
            })
            .map_err(|error| store_error(&error))?;
    }
    transaction.commit().map_err(|error| store_error(&error))
}

/// Limits the size of the file as this connection sees it, and says above how many pages no new payment is to be taken: an
/// eighth is kept for finishing those that were taken.
pub(super) fn limit_size(conn: &Connection, max_bytes: u64) -> Result<i64, LedgerError> {
    let pages = sortable(max_bytes) / pragma(conn, "page_size")?.max(1);
    let pages = pages.clamp(1, 0xffff_fffe);
    conn.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
        .map_err(|error| store_error(&error))?;
    Ok(pages - pages / 8)
}

fn pragma(conn: &Connection, name: &str) -> Result<i64, LedgerError> {
    conn.pragma_query_value(None, name, |row| row.get(0))
        .map_err(|error| store_error(&error))
}

/// The error a caller sees. Texts of the database engine name files and reasons, never values.
pub(super) fn store_error(error: &rusqlite::Error) -> LedgerError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LedgerError::Overloaded,
        Some(ErrorCode::NotADatabase) => {
            LedgerError::Foreign("the file is not an SQLite database".to_owned())
        }
        Some(ErrorCode::DatabaseCorrupt) => LedgerError::Corrupt(error.to_string()),
        _ => LedgerError::Store(error.to_string()),
    }
}
