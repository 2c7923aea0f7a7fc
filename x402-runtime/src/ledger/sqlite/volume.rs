//! What payers bought: the settled payments, and those of them whose records are gone.

use super::books::{column, parsed};
use super::rows::sortable;
use super::schema::{VOLUME_INDEX, VOLUME_TABLES};
use super::table::{Fault, Table, limit};
use crate::ledger::account::Volume;
use crate::ledger::{Commit, LedgerError};
use alloy_primitives::Address;
use rusqlite::params;
use std::ops::Range;

impl Table {
    /// Makes sure that [`volume`](Self::volume) finds its tables, and need not read every payment.
    pub(super) fn prepare_volume(&self) -> Result<(), Fault> {
        self.prepare(VOLUME_INDEX)?.execute([])?;
        Ok(self.connection().execute_batch(VOLUME_TABLES)?)
    }

    pub(super) fn keep_volume(&mut self, endpoint: &str, window_ms: u64) -> Result<(), Fault> {
        self.prepare_volume()?;
        self.ask(Commit::Hard);
        self.prepare(
            "INSERT INTO volume_endpoint (endpoint, window_ms) VALUES (?1, ?2) \
             ON CONFLICT (endpoint) DO UPDATE SET window_ms = max(window_ms, excluded.window_ms)",
        )?
        .execute(params![endpoint, sortable(window_ms)])?;
        Ok(())
    }

    /// Both halves are read in one statement, so a payment that is purged meanwhile is in exactly one of them.
    pub(super) fn volume(
        &self,
        payer: Address,
        endpoint: &str,
        presented_ms: &Range<u64>,
    ) -> Result<Volume, Fault> {
        let mut statement = self.prepare(
            "SELECT network, asset, amount FROM payment WHERE payer = ?1 AND endpoint = ?2 AND created_ms >= ?3 \
             AND created_ms < ?4 AND state IN (4, 5) \
             UNION ALL SELECT network, asset, amount FROM bought WHERE payer = ?1 AND endpoint = ?2 AND presented_ms >= ?3 \
             AND presented_ms < ?4",
        )?;
        let mut rows = statement.query(params![
            payer.as_slice(),
            endpoint,
            sortable(presented_ms.start),
            sortable(presented_ms.end)
        ])?;
        let mut volume = Volume::default();
        while let Some(row) = rows.next()? {
            let asset = Address::from(column::<[u8; 20]>(row, 1)?);
            volume
                .add(parsed(row, 0)?, asset, parsed(row, 2)?)
                .ok_or_else(|| LedgerError::Store("a sum is too large".to_owned()))?;
        }
        Ok(volume)
    }

    /// Keeps what the records say that are purged next, where an endpoint's prices depend on it.
    pub(super) fn keep_bought(&self, before_ms: u64, max: usize) -> Result<(), Fault> {
        if !self.has_volume()? {
            return Ok(());
        }
        self.prepare(
            "INSERT OR IGNORE INTO bought (payer, endpoint, presented_ms, nonce, asset, network, amount) \
             SELECT p.payer, p.endpoint, p.created_ms, p.nonce, p.asset, p.network, p.amount \
             FROM payment p JOIN volume_endpoint e ON e.endpoint = p.endpoint WHERE p.state IN (4, 5) AND p.id IN \
             (SELECT id FROM payment WHERE closed_ms < ?1 ORDER BY closed_ms, id LIMIT ?2)",
        )?
        .execute(params![sortable(before_ms), limit(max)])?;
        Ok(())
    }

    /// Forgets what no price looks at any more.
    pub(super) fn sweep_bought(&self, now_ms: u64, max: usize) -> Result<usize, Fault> {
        if !self.has_volume()? {
            return Ok(0);
        }
        let removed = self
            .prepare(
                "DELETE FROM bought WHERE (payer, endpoint, presented_ms, nonce, asset, network) IN \
                 (SELECT b.payer, b.endpoint, b.presented_ms, b.nonce, b.asset, b.network \
                 FROM volume_endpoint e JOIN bought b ON b.endpoint = e.endpoint AND b.presented_ms <= ?1 - e.window_ms LIMIT ?2)",
            )?
            .execute(params![sortable(now_ms), limit(max)])?;
        Ok(removed)
    }

    /// Whether any process that uses the file has prices that depend on what was bought.
    fn has_volume(&self) -> Result<bool, Fault> {
        let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'bought'";
        Ok(self
            .prepare(sql)?
            .query_row([], |row| row.get::<_, i64>(0))?
            > 0)
    }
}
