//! The accounts of one holder, inside a transaction that the caller holds.

use super::books::{column, parsed};
use super::table::{Fault, Table};
use crate::ledger::Commit;
use crate::ledger::account::{Account, Balance, Poured, Pouring, pour};
use x402_model::money::AtomicAmount;

impl Table {
    pub(super) fn accounts_of(&self, holder: &str) -> Result<Vec<(Account, Balance)>, Fault> {
        let mut statement = self.prepare(
            "SELECT available, held, captured, unit FROM account WHERE holder = ?1 ORDER BY unit",
        )?;
        let mut rows = statement.query([holder])?;
        let mut accounts = Vec::new();
        while let Some(row) = rows.next()? {
            let account = Account {
                holder: holder.to_owned(),
                unit: column(row, 3)?,
            };
            let balance = Balance {
                available: parsed(row, 0)?,
                held: parsed(row, 1)?,
                captured: parsed(row, 2)?,
            };
            accounts.push((account, balance));
        }
        Ok(accounts)
    }

    pub(super) fn pour(
        &mut self,
        reference: Option<&str>,
        pouring: &Pouring,
        now_ms: u64,
    ) -> Result<AtomicAmount, Fault> {
        // A repetition too: what it repeats may still be waiting for the disk.
        self.ask(Commit::Hard);
        if let Some(name) = reference
            && let Some(entry) = self.entry(name)?
        {
            return Ok(entry.amount);
        }
        let (from, to) = (self.balance(&pouring.from)?, self.balance(&pouring.to)?);
        let Some(Poured {
            from,
            to,
            amount,
            entry,
        }) = pour(pouring, from, to, now_ms)
        else {
            return Ok(AtomicAmount::ZERO);
        };
        if let Some(name) = reference {
            self.room(false)?;
            self.store_entry(name, &entry)?;
        }
        self.store_balance(&pouring.from, from)?;
        self.store_balance(&pouring.to, to)?;
        Ok(amount)
    }
}
