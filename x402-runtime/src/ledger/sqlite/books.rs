//! The tables beside payments, inside a transaction that the caller holds.

use super::rows::sortable;
use super::table::{Fault, Table};
use crate::ledger::account::{
    Account, Balance, Count, Counter, Entry, EntryState, Identity, Named, OpenHold, Posted,
    Posting, Purchase, Ruling, Taken, rule,
};
use crate::ledger::{Begin, Commit, LedgerError, PaymentKey, Record};
use alloy_primitives::{Address, B256};
use rusqlite::types::FromSql;
use rusqlite::{OptionalExtension, Row, params};
use std::str::FromStr;
use std::sync::Arc;
use x402_model::money::AtomicAmount;

/// Numbers of [`EntryState`] in the file. Never change one.
const CREDITED: u8 = 1;
const HELD: u8 = 2;
const CAPTURED: u8 = 3;
const RELEASED: u8 = 4;

const OTHER_TABLES: [(&str, &str); 3] = [
    ("counter", "until_ms <= ?1"),
    ("used_once", "until_ms <= ?1"),
    ("purchase", "until_ms <= ?1"),
];

impl Table {
    pub(super) fn take(&mut self, counter: &Counter, now_ms: u64) -> Result<Taken, Fault> {
        let before = self.count_of(&counter.name)?;
        let (after, taken) = Count::take(before, counter, now_ms);
        if let Some(after) = after {
            self.room(before.is_some())?;
            self.ask(Commit::Hard);
            self.store_count(&counter.name, after)?;
        }
        Ok(taken)
    }

    pub(super) fn give_back(&self, counter: &str, until_ms: Option<u64>) -> Result<(), Fault> {
        let after = self
            .count_of(counter)?
            .and_then(|count| count.give_back(until_ms));
        after.map_or(Ok(()), |after| self.store_count(counter, after))
    }

    fn count_of(&self, name: &str) -> Result<Option<Count>, Fault> {
        let mut statement = self.prepare("SELECT used, until_ms FROM counter WHERE name = ?1")?;
        let found = statement.query_row([name], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?))
        });
        Ok(found.optional()?.map(|(used, until)| Count {
            used: used.cast_unsigned(),
            until_ms: until.map(i64::cast_unsigned),
        }))
    }

    fn store_count(&self, name: &str, count: Count) -> Result<(), Fault> {
        self.prepare("INSERT OR REPLACE INTO counter (name, used, until_ms) VALUES (?1, ?2, ?3)")?
            .execute(params![
                name,
                count.used.cast_signed(),
                count.until_ms.map(sortable)
            ])?;
        Ok(())
    }

    pub(super) fn post(
        &mut self,
        reference: &str,
        posting: &Posting,
        now_ms: u64,
    ) -> Result<Posted, Fault> {
        // A repetition too: what it repeats may still be waiting for the disk.
        self.ask(Commit::Hard);
        let entry = self.entry(reference)?;
        let account = match (&entry, posting) {
            (Some(entry), _) => Some(&entry.account),
            (None, Posting::Credit { account, .. } | Posting::Hold { account, .. }) => {
                Some(account)
            }
            (None, Posting::Capture { .. } | Posting::Release) => None,
        };
        let balance =
            account.map_or_else(|| Ok(Balance::default()), |account| self.balance(account))?;
        Ok(match rule(entry.as_ref(), balance, posting, now_ms) {
            Ruling::Repeat => Posted::Repeated(balance),
            Ruling::Refuse(refusal) => Posted::Refused(refusal),
            Ruling::Write(after, balance) => {
                self.room(entry.is_some())?;
                self.store_balance(&after.account, balance)?;
                self.store_entry(reference, &after)?;
                Posted::Done(balance)
            }
        })
    }

    pub(super) fn balance(&self, account: &Account) -> Result<Balance, Fault> {
        let mut statement = self.prepare(
            "SELECT available, held, captured FROM account WHERE holder = ?1 AND unit = ?2",
        )?;
        let mut rows = statement.query([&account.holder, &account.unit])?;
        let Some(row) = rows.next()? else {
            return Ok(Balance::default());
        };
        Ok(Balance {
            available: parsed(row, 0)?,
            held: parsed(row, 1)?,
            captured: parsed(row, 2)?,
        })
    }

    pub(super) fn store_balance(&self, account: &Account, balance: Balance) -> Result<(), Fault> {
        self.prepare(
            "INSERT OR REPLACE INTO account (holder, unit, available, held, captured) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            account.holder,
            account.unit,
            balance.available.to_string(),
            balance.held.to_string(),
            balance.captured.to_string()
        ])?;
        Ok(())
    }

    pub(super) fn entry(&self, reference: &str) -> Result<Option<Entry>, Fault> {
        let mut statement = self.prepare(
            "SELECT holder, unit, amount, state, captured, at_ms FROM entry WHERE reference = ?1",
        )?;
        let mut rows = statement.query([reference])?;
        Ok(rows.next()?.map(read_entry).transpose()?)
    }

    pub(super) fn store_entry(&self, reference: &str, entry: &Entry) -> Result<(), Fault> {
        let (state, captured) = match entry.state {
            EntryState::Credited => (CREDITED, None),
            EntryState::Held => (HELD, None),
            EntryState::Captured(amount) => (CAPTURED, Some(amount.to_string())),
            EntryState::Released => (RELEASED, None),
        };
        self.prepare(
            "INSERT OR REPLACE INTO entry (reference, holder, unit, amount, state, captured, at_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            reference,
            entry.account.holder,
            entry.account.unit,
            entry.amount.to_string(),
            state,
            captured,
            sortable(entry.at_ms)
        ])?;
        Ok(())
    }

    pub(super) fn open_holds(&self, before_ms: u64, max: usize) -> Result<Vec<OpenHold>, Fault> {
        let mut statement = self.prepare(
            "SELECT holder, unit, amount, state, captured, at_ms, reference FROM entry \
             WHERE state = 2 AND at_ms < ?1 ORDER BY at_ms, reference LIMIT ?2",
        )?;
        let mut rows = statement.query(params![sortable(before_ms), super::table::limit(max)])?;
        let mut holds = Vec::new();
        while let Some(row) = rows.next()? {
            let entry = read_entry(row)?;
            holds.push(OpenHold {
                reference: column(row, 6)?,
                account: entry.account,
                amount: entry.amount,
                since_ms: entry.at_ms,
            });
        }
        Ok(holds)
    }

    pub(super) fn use_once(&self, name: &str, until_ms: u64, now_ms: u64) -> Result<bool, Fault> {
        self.room(false)?;
        // A row that is over is as good as none.
        let written = self
            .prepare(
                "INSERT INTO used_once (name, until_ms) VALUES (?1, ?2) \
                 ON CONFLICT (name) DO UPDATE SET until_ms = excluded.until_ms WHERE until_ms <= ?3",
            )?
            .execute(params![name, sortable(until_ms), sortable(now_ms)])?;
        Ok(written == 1)
    }

    pub(super) fn begin_identified(
        &mut self,
        record: &Arc<Record>,
        request: &str,
        identity: &Identity,
    ) -> Result<Begin, Fault> {
        let named = Named {
            payer: record.key.payer,
            endpoint: record.endpoint.as_ref().to_owned(),
            name: identity.name.clone(),
        };
        if let Some(purchase) = self.purchase(&named)?
            && purchase.until_ms > record.created_ms
            && purchase.payment != record.key
            && let Some(earlier) = self.get(&purchase.payment)?
            && Identity::keeps(&earlier)
        {
            return Ok(Begin::Exists(Arc::new(earlier)));
        }
        let begun = self.begin(record, request)?;
        self.prepare(
            "INSERT OR REPLACE INTO purchase (payer, endpoint, name, nonce, asset, network, until_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            named.payer.as_slice(),
            named.endpoint,
            named.name,
            record.key.nonce.as_slice(),
            record.key.asset.as_slice(),
            record.key.network.to_string(),
            sortable(identity.until_ms)
        ])?;
        Ok(begun)
    }

    pub(super) fn identified(&self, named: &Named) -> Result<Option<Record>, Fault> {
        match self.purchase(named)? {
            Some(purchase) => self.get(&purchase.payment),
            None => Ok(None),
        }
    }

    fn purchase(&self, named: &Named) -> Result<Option<Purchase>, Fault> {
        let mut statement = self.prepare(
            "SELECT nonce, asset, network, until_ms FROM purchase WHERE payer = ?1 AND endpoint = ?2 AND name = ?3",
        )?;
        let mut rows =
            statement.query(params![named.payer.as_slice(), named.endpoint, named.name])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        Ok(Some(Purchase {
            payment: PaymentKey {
                nonce: B256::from(column::<[u8; 32]>(row, 0)?),
                asset: Address::from(column::<[u8; 20]>(row, 1)?),
                network: parsed(row, 2)?,
                payer: named.payer,
            },
            until_ms: column::<i64>(row, 3)?.cast_unsigned(),
        }))
    }

    pub(super) fn sweep(&self, now_ms: u64, closed_ms: u64, max: usize) -> Result<u64, Fault> {
        let mut removed = 0;
        let old = OTHER_TABLES.map(|(table, rule)| (table, rule, now_ms));
        let holds = ("entry", "state IN (3, 4) AND at_ms < ?1", closed_ms);
        for (table, rule, time) in old.into_iter().chain([holds]) {
            let key = match table {
                "entry" => "reference",
                "purchase" => "(payer, endpoint, name)",
                _ => "name",
            };
            let columns = key.trim_matches(['(', ')']);
            let sql = format!(
                "DELETE FROM {table} WHERE {key} IN (SELECT {columns} FROM {table} WHERE {rule} LIMIT ?2)"
            );
            removed += self
                .prepare(&sql)?
                .execute(params![sortable(time), super::table::limit(max)])?;
        }
        removed += self.sweep_bought(now_ms, max)?;
        Ok(u64::try_from(removed).unwrap_or(u64::MAX))
    }

    /// Whether one more row may be written; what exists may always change.
    pub(super) fn room(&self, exists: bool) -> Result<(), Fault> {
        if exists || !self.is_full()? {
            Ok(())
        } else {
            Err(LedgerError::Full.into())
        }
    }
}

fn read_entry(row: &Row<'_>) -> Result<Entry, LedgerError> {
    let captured: Option<String> = column(row, 4)?;
    let state = match (column::<u8>(row, 3)?, captured) {
        (CREDITED, None) => EntryState::Credited,
        (HELD, None) => EntryState::Held,
        (RELEASED, None) => EntryState::Released,
        (CAPTURED, Some(amount)) => EntryState::Captured(amount_of(&amount)?),
        (other, _) => {
            return Err(LedgerError::Corrupt(format!(
                "unknown state {other} of a movement"
            )));
        }
    };
    Ok(Entry {
        account: Account {
            holder: column(row, 0)?,
            unit: column(row, 1)?,
        },
        amount: parsed(row, 2)?,
        state,
        at_ms: column::<i64>(row, 5)?.cast_unsigned(),
    })
}

fn amount_of(text: &str) -> Result<AtomicAmount, LedgerError> {
    text.parse()
        .map_err(|_| LedgerError::Corrupt("an amount of a movement".to_owned()))
}

pub(super) fn column<T: FromSql>(row: &Row<'_>, index: usize) -> Result<T, LedgerError> {
    row.get(index).map_err(|error| {
        LedgerError::Corrupt(format!("column {index} beside the payments: {error}"))
    })
}

pub(super) fn parsed<T: FromStr>(row: &Row<'_>, index: usize) -> Result<T, LedgerError> {
    column::<String>(row, index)?
        .parse()
        .map_err(|_| LedgerError::Corrupt(format!("column {index} beside the payments")))
}
