//! The ledger's operations on a connection, inside a transaction that the caller holds.

use super::rows::{
    self, ANSWER, COLUMNS, NO_ANSWER, Numbered, sortable, state_code, write_headers,
};
use super::schema::store_error;
use crate::ledger::{
    Advanced, Begin, Commit, Event, LedgerError, Next, PaymentKey, Record, StoredAnswer, Twice,
    step,
};
use rusqlite::{CachedStatement, Connection, params};
use std::collections::HashMap;
use std::sync::Arc;

/// How many open records the writer keeps at hand, so that it need not read back what it has just written.
const CACHED_RECORDS: usize = 2_048;

/// Answers longer than this are read back when needed.
const CACHED_ANSWER_BYTES: usize = 16 * 1024;

/// Why an operation failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// The database engine failed; the transaction is void.
    Engine(rusqlite::Error),
    /// This operation failed before it wrote anything; others of the same transaction are not touched.
    Operation(LedgerError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<LedgerError> for Fault {
    fn from(error: LedgerError) -> Self {
        Self::Operation(error)
    }
}

impl From<Fault> for LedgerError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Engine(error) => store_error(&error),
            Fault::Operation(error) => error,
        }
    }
}

/// A connection and what the writer remembers of its contents.
pub(super) struct Table {
    conn: Connection,
    /// The number SQLite gives to the file's state as other connections leave it.
    data_version: i64,
    cache: HashMap<PaymentKey, Numbered>,
    /// The strictest durability asked for since it was last taken.
    asked: Commit,
    /// Above how many used pages no new payment is taken.
    max_pages: Option<i64>,
}

impl Table {
    pub(super) fn new(conn: Connection, max_pages: Option<i64>) -> Self {
        Self {
            conn,
            data_version: -1,
            cache: HashMap::new(),
            asked: Commit::Soft,
            max_pages,
        }
    }

    pub(super) const fn connection(&self) -> &Connection {
        &self.conn
    }

    pub(super) fn into_connection(self) -> Connection {
        self.conn
    }

    /// Call first in every write transaction: forgets what another process may have changed.
    pub(super) fn start(&mut self) -> Result<(), Fault> {
        let version = self.count("PRAGMA data_version")?;
        if version != self.data_version {
            self.cache.clear();
            self.data_version = version;
        }
        Ok(())
    }

    /// Asks for no less than this durability.
    pub(super) fn ask(&mut self, durability: Commit) {
        self.asked = self.asked.max(durability);
    }

    /// The strictest durability that was asked for since this was last called.
    pub(super) const fn take_asked(&mut self) -> Commit {
        std::mem::replace(&mut self.asked, Commit::Soft)
    }

    /// Call after a roll-back: what is remembered was not written.
    pub(super) fn forget(&mut self) {
        self.cache.clear();
    }

    /// Adds a reserved record, whose request is `request` as JSON, unless there is one.
    pub(super) fn begin(&mut self, record: &Arc<Record>, request: &str) -> Result<Begin, Fault> {
        let inserted = match self.cache.contains_key(&record.key) || self.is_full()? {
            true => None,
            false => self.insert(record)?,
        };
        if let Some(id) = inserted {
            self.prepare("INSERT INTO request (id, json) VALUES (?1, ?2)")?
                .execute(params![id, request])?;
            self.remember(Numbered {
                id,
                record: Arc::clone(record),
            });
            return Ok(Begin::Reserved);
        }
        // Taken, or full; a payment that is known is answered even then.
        let known = self.find(&record.key)?.ok_or(LedgerError::Full)?;
        let found = Arc::clone(&known.record);
        self.remember(known);
        Ok(Begin::Exists(found))
    }

    pub(super) fn advance(
        &mut self,
        key: &PaymentKey,
        event: &Event,
        now_ms: u64,
    ) -> Result<Advanced, Fault> {
        let Some(known) = self.find(key)? else {
            return Ok(Advanced::Lost(None));
        };
        match self.decide(&known.record, event, now_ms) {
            Some(next) => self.write(&known, next),
            None => Ok(self.lose(known)),
        }
    }

    /// Two events, of which only what they come to is written.
    pub(super) fn advance_twice(
        &mut self,
        key: &PaymentKey,
        [first, second]: &[Event; 2],
        now_ms: u64,
    ) -> Result<Twice, Fault> {
        let Some(known) = self.find(key)? else {
            return Ok(Twice::First(Advanced::Lost(None)));
        };
        let between = match self.decide(&known.record, first, now_ms) {
            None => return Ok(Twice::First(self.lose(known))),
            Some(Next::Remove) => return self.write(&known, Next::Remove).map(Twice::First),
            Some(Next::Become(between)) => between,
        };
        match self.decide(&between, second, now_ms) {
            Some(next) => self.write(&known, next),
            None => {
                self.write(&known, Next::Become(Arc::clone(&between)))?;
                Ok(Advanced::Lost(Some(between)))
            }
        }
        .map(Twice::Second)
    }

    /// What an event makes of a record, if it may happen to it, and notes how durable that must be.
    fn decide(&mut self, record: &Record, event: &Event, now_ms: u64) -> Option<Next> {
        let step = step(record, event).ok()?.at(now_ms);
        self.ask(step.durability);
        Some(step.next)
    }

    fn lose(&mut self, known: Numbered) -> Advanced {
        let record = Arc::clone(&known.record);
        self.remember(known);
        Advanced::Lost(Some(record))
    }

    /// Writes what a record became.
    fn write(&mut self, known: &Numbered, next: Next) -> Result<Advanced, Fault> {
        let Next::Become(next) = next else {
            self.delete(known.id)?;
            return Ok(Advanced::Removed);
        };
        match (&known.record.answer, &next.answer) {
            (None, Some(answer)) => self.store_answer(known.id, answer)?,
            (Some(_), None) => {
                self.prepare("DELETE FROM answer WHERE id = ?1")?
                    .execute([known.id])?;
            }
            (None, None) | (Some(_), Some(_)) => {}
        }
        self.update(known.id, &known.record, &next)?;
        self.remember(Numbered {
            id: known.id,
            record: Arc::clone(&next),
        });
        Ok(Advanced::Done(next))
    }

    pub(super) fn get(&self, key: &PaymentKey) -> Result<Option<Record>, Fault> {
        Ok(self
            .load(key)?
            .map(|found| Arc::unwrap_or_clone(found.record)))
    }

    pub(super) fn due(&self, now_ms: u64, max: usize) -> Result<Vec<Record>, Fault> {
        let mut statement = self.prepare(&format!(
            "SELECT {COLUMNS}, {NO_ANSWER} FROM payment p JOIN request r ON r.id = p.id \
             WHERE p.due_ms <= ?1 ORDER BY p.due_ms, p.id LIMIT ?2"
        ))?;
        let mut found = statement.query(params![sortable(now_ms), limit(max)])?;
        let mut records = Vec::new();
        while let Some(row) = found.next()? {
            records.push(Arc::unwrap_or_clone(rows::record(row)?.record));
        }
        Ok(records)
    }

    pub(super) fn purge(&self, before_ms: u64, max: usize) -> Result<u64, Fault> {
        self.keep_bought(before_ms, max)?;
        let mut removed = 0;
        for table in ["request", "answer", "payment"] {
            // The same rows each time: nothing else writes inside this transaction, and `payment` goes last.
            removed = self
                .prepare(&format!(
                    "DELETE FROM {table} WHERE id IN \
                     (SELECT id FROM payment WHERE closed_ms < ?1 ORDER BY closed_ms, id LIMIT ?2)"
                ))?
                .execute(params![sortable(before_ms), limit(max)])?;
        }
        Ok(u64::try_from(removed).unwrap_or(u64::MAX))
    }

    pub(super) fn prepare(&self, sql: &str) -> rusqlite::Result<CachedStatement<'_>> {
        self.conn.prepare_cached(sql)
    }

    pub(super) fn is_full(&self) -> Result<bool, Fault> {
        let Some(max_pages) = self.max_pages else {
            return Ok(false);
        };
        Ok(self.count("PRAGMA page_count")? - self.count("PRAGMA freelist_count")? >= max_pages)
    }

    fn count(&self, sql: &str) -> rusqlite::Result<i64> {
        self.prepare(sql)?.query_row([], |row| row.get(0))
    }

    /// The record, taken out of the cache or read.
    fn find(&mut self, key: &PaymentKey) -> Result<Option<Numbered>, Fault> {
        match self.cache.remove(key) {
            Some(known) => Ok(Some(known)),
            None => self.load(key),
        }
    }

    fn remember(&mut self, known: Numbered) {
        let long = known
            .record
            .answer
            .as_ref()
            .is_some_and(|answer| answer.body.len() > CACHED_ANSWER_BYTES);
        if known.record.state.is_closed() || long {
            return;
        }
        if self.cache.len() >= CACHED_RECORDS {
            self.cache.clear();
        }
        self.cache.insert(known.record.key.clone(), known);
    }

    fn load(&self, key: &PaymentKey) -> Result<Option<Numbered>, Fault> {
        let mut statement = self.prepare(&format!(
            "SELECT {COLUMNS}, {ANSWER} FROM payment p JOIN request r ON r.id = p.id LEFT JOIN answer a ON a.id = p.id \
             WHERE p.nonce = ?1 AND p.payer = ?2 AND p.asset = ?3 AND p.network = ?4"
        ))?;
        let mut found = statement.query(params![
            key.nonce.as_slice(),
            key.payer.as_slice(),
            key.asset.as_slice(),
            key.network.to_string()
        ])?;
        Ok(found.next()?.map(rows::record).transpose()?)
    }

    /// The number of the new row; none if the payment has one.
    fn insert(&self, record: &Record) -> Result<Option<i64>, Fault> {
        let rows = self.prepare(
            "INSERT INTO payment (nonce, payer, asset, network, state, fingerprint, endpoint, amount, pay_to, valid_before, \
             owner, lease_until_ms, attempts, in_doubt, created_ms, updated_ms, due_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0, 0, ?13, ?14, ?15) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            record.key.nonce.as_slice(),
            record.key.payer.as_slice(),
            record.key.asset.as_slice(),
            record.key.network.to_string(),
            state_code(record.state),
            record.fingerprint.0,
            record.endpoint,
            record.amount.to_string(),
            record.pay_to.as_slice(),
            record.valid_before.cast_signed(),
            record.owner.cast_signed(),
            record.lease_until_ms.cast_signed(),
            record.created_ms.cast_signed(),
            record.updated_ms.cast_signed(),
            record.due_ms().map(sortable),
        ])?;
        Ok((rows > 0).then(|| self.conn.last_insert_rowid()))
    }

    /// Writes what a step changed. A column that is not named costs nothing, and an index whose columns are not named is left
    /// alone.
    fn update(&self, id: i64, before: &Record, next: &Record) -> Result<(), Fault> {
        let same_outcome = before.settlement == next.settlement
            && before.transaction == next.transaction
            && before.attempts == next.attempts
            && before.in_doubt == next.in_doubt
            && before.refusal == next.refusal
            && before.amount == next.amount
            && before.closed_ms() == next.closed_ms();
        if !same_outcome {
            return self.update_all(id, next);
        }
        let state = state_code(next.state);
        let updated_ms = next.updated_ms.cast_signed();
        let due_ms = next.due_ms().map(sortable);
        let same_owner = before.owner == next.owner && before.lease_until_ms == next.lease_until_ms;
        if same_owner && before.due_ms().map(sortable) == due_ms {
            self.prepare("UPDATE payment SET state = ?2, updated_ms = ?3 WHERE id = ?1")?
                .execute(params![id, state, updated_ms])?;
            return Ok(());
        }
        let (owner, lease) = (next.owner.cast_signed(), next.lease_until_ms.cast_signed());
        self.prepare(
            "UPDATE payment SET state = ?2, owner = ?3, lease_until_ms = ?4, updated_ms = ?5, due_ms = ?6 WHERE id = ?1",
        )?
        .execute(params![id, state, owner, lease, updated_ms, due_ms])?;
        Ok(())
    }

    fn update_all(&self, id: i64, next: &Record) -> Result<(), Fault> {
        let settlement = next
            .settlement
            .as_ref()
            .map(serde_json::to_string)
            .transpose()
            .map_err(|_| {
                LedgerError::Store("the settlement cannot be written as JSON".to_owned())
            })?;
        self.prepare(
            "UPDATE payment SET state = ?2, owner = ?3, lease_until_ms = ?4, settlement = ?5, tx = ?6, attempts = ?7, \
             in_doubt = ?8, refusal = ?9, updated_ms = ?10, due_ms = ?11, closed_ms = ?12, amount = ?13 WHERE id = ?1",
        )?
        .execute(params![
            id,
            state_code(next.state),
            next.owner.cast_signed(),
            next.lease_until_ms.cast_signed(),
            settlement,
            next.transaction,
            next.attempts,
            next.in_doubt,
            next.refusal,
            next.updated_ms.cast_signed(),
            next.due_ms().map(sortable),
            next.closed_ms().map(sortable),
            next.amount.to_string(),
        ])?;
        Ok(())
    }

    fn store_answer(&self, id: i64, answer: &StoredAnswer) -> Result<(), Fault> {
        let headers = write_headers(&answer.headers).ok_or_else(|| {
            LedgerError::Store("a header of the answer is too long to be stored".to_owned())
        })?;
        self.prepare("INSERT INTO answer (id, status, headers, body) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![id, answer.status, headers, answer.body.as_ref()])?;
        Ok(())
    }

    fn delete(&self, id: i64) -> Result<(), Fault> {
        for table in ["request", "answer", "payment"] {
            self.prepare(&format!("DELETE FROM {table} WHERE id = ?1"))?
                .execute([id])?;
        }
        Ok(())
    }
}

pub(super) fn limit(max: usize) -> i64 {
    i64::try_from(max).unwrap_or(i64::MAX)
}
