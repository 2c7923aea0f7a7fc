//! The terms that were published, in the ledger's file.

use super::table::{Fault, Table};
use crate::ledger::SupersededOffer;
use crate::ledger::offers::OfferBook;
use rusqlite::params;

impl Table {
    pub(super) fn publish(
        &self,
        endpoint: &str,
        accepts_json: &str,
        max_timeout_seconds: u64,
        now_ms: u64,
    ) -> Result<Vec<SupersededOffer>, Fault> {
        let before = self.load_offers(endpoint)?;
        let mut after = before.clone();
        after.publish(accepts_json, max_timeout_seconds, now_ms);
        if after != before {
            self.store_offers(endpoint, &after)?;
        }
        Ok(after.superseded)
    }

    fn load_offers(&self, endpoint: &str) -> Result<OfferBook, Fault> {
        let mut statement = self.prepare(
            "SELECT accepts, max_timeout_s, superseded_ms, until_ms FROM offer WHERE endpoint = ?1 \
             ORDER BY superseded_ms, rowid",
        )?;
        let mut found = statement.query([endpoint])?;
        let mut book = OfferBook::default();
        while let Some(row) = found.next()? {
            let accepts_json: String = row.get(0)?;
            let max_timeout: Option<i64> = row.get(1)?;
            match max_timeout {
                Some(seconds) => book.current = Some((accepts_json, seconds.cast_unsigned())),
                None => book.superseded.push(SupersededOffer {
                    accepts_json,
                    superseded_ms: row.get::<_, i64>(2)?.cast_unsigned(),
                    until_ms: row.get::<_, i64>(3)?.cast_unsigned(),
                }),
            }
        }
        Ok(book)
    }

    fn store_offers(&self, endpoint: &str, book: &OfferBook) -> Result<(), Fault> {
        self.prepare("DELETE FROM offer WHERE endpoint = ?1")?
            .execute([endpoint])?;
        for offer in &book.superseded {
            self.prepare("INSERT INTO offer (endpoint, accepts, superseded_ms, until_ms) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![
                    endpoint,
                    offer.accepts_json,
                    offer.superseded_ms.cast_signed(),
                    offer.until_ms.cast_signed()
                ])?;
        }
        if let Some((accepts_json, max_timeout_seconds)) = &book.current {
            self.prepare(
                "INSERT INTO offer (endpoint, accepts, max_timeout_s) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![
                endpoint,
                accepts_json,
                max_timeout_seconds.cast_signed()
            ])?;
        }
        Ok(())
    }
}
