//! Balances in memory: the postings that move them, and the holds that are open.

use super::room;
use crate::ledger::LedgerError;
use crate::ledger::account::{
    Account, Balance, Entry, OpenHold, Posted, Posting, Poured, Pouring, Ruling, pour, rule,
};
use crate::ledger::memory::{MemoryLedger, locked};
use std::collections::{BTreeMap, HashMap};
use x402_model::money::AtomicAmount;

#[derive(Default)]
pub(super) struct Money {
    /// Ordered, because the accounts of one holder are asked for together.
    balances: BTreeMap<Account, Balance>,
    pub(super) entries: HashMap<String, Entry>,
}

impl Money {
    pub(super) fn balance(&self, account: &Account) -> Balance {
        self.balances.get(account).copied().unwrap_or_default()
    }
}

impl MemoryLedger {
    pub(super) fn post_now(
        &self,
        reference: &str,
        posting: &Posting,
        now_ms: u64,
    ) -> Result<Posted, LedgerError> {
        let mut money = locked(&self.books.money);
        let entry = money.entries.get(reference);
        let account = match (entry, posting) {
            (Some(entry), _) => Some(&entry.account),
            (None, Posting::Credit { account, .. } | Posting::Hold { account, .. }) => {
                Some(account)
            }
            (None, Posting::Capture { .. } | Posting::Release) => None,
        };
        let balance = account
            .map(|account| money.balance(account))
            .unwrap_or_default();
        Ok(match rule(entry, balance, posting, now_ms) {
            Ruling::Repeat => Posted::Repeated(balance),
            Ruling::Refuse(refusal) => Posted::Refused(refusal),
            Ruling::Write(entry, after) => {
                room(&money.entries, &reference.to_owned(), self.max_records)?;
                if money.balances.len() >= self.max_records
                    && !money.balances.contains_key(&entry.account)
                {
                    return Err(LedgerError::Full);
                }
                money.balances.insert(entry.account.clone(), after);
                money.entries.insert(reference.to_owned(), *entry);
                Posted::Done(after)
            }
        })
    }

    pub(super) fn accounts_of_now(&self, holder: &str) -> Vec<(Account, Balance)> {
        let first = Account {
            holder: holder.to_owned(),
            unit: String::new(),
        };
        locked(&self.books.money)
            .balances
            .range(first..)
            .take_while(|(account, _)| account.holder == holder)
            .map(|(account, balance)| (account.clone(), *balance))
            .collect()
    }

    pub(super) fn pour_now(
        &self,
        reference: Option<&str>,
        pouring: Pouring,
        now_ms: u64,
    ) -> Result<AtomicAmount, LedgerError> {
        let mut money = locked(&self.books.money);
        if let Some(entry) = reference.and_then(|name| money.entries.get(name)) {
            return Ok(entry.amount);
        }
        let (from, to) = (money.balance(&pouring.from), money.balance(&pouring.to));
        let Some(Poured {
            from,
            to,
            amount,
            entry,
        }) = pour(&pouring, from, to, now_ms)
        else {
            return Ok(AtomicAmount::ZERO);
        };
        if let Some(name) = reference {
            room(&money.entries, &name.to_owned(), self.max_records)?;
            money.entries.insert(name.to_owned(), entry);
        }
        money.balances.insert(pouring.from, from);
        money.balances.insert(pouring.to, to);
        Ok(amount)
    }

    pub(super) fn open_holds_now(&self, before_ms: u64, max: usize) -> Vec<OpenHold> {
        let money = locked(&self.books.money);
        let open = money
            .entries
            .iter()
            .filter(|(_, entry)| entry.is_open() && entry.at_ms < before_ms);
        let mut holds: Vec<OpenHold> = open
            .map(|(reference, entry)| OpenHold {
                reference: reference.clone(),
                account: entry.account.clone(),
                amount: entry.amount,
                since_ms: entry.at_ms,
            })
            .collect();
        drop(money);
        holds.sort_by(|a, b| (a.since_ms, &a.reference).cmp(&(b.since_ms, &b.reference)));
        holds.truncate(max);
        holds
    }
}
