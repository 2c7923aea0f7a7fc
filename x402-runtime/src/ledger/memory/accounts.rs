//! Counters, balances and names in memory.

mod money;

use self::money::Money;
use super::bought::Bought;
use super::{MemoryLedger, locked};
use crate::facilitator::BoxFuture;
use crate::ledger::account::{
    Account, Accounts, Balance, Count, Counter, Identity, Named, OpenHold, Posted, Posting,
    Pouring, Purchase, Taken, Volume,
};
use crate::ledger::{Begin, LedgerError, NewPayment, Record};
use alloy_primitives::Address;
use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;
use std::sync::Mutex;
use x402_model::money::AtomicAmount;

/// Everything beside payments. Each table holds as many rows as the ledger holds records.
#[derive(Default)]
pub(super) struct Books {
    counters: Mutex<HashMap<String, Count>>,
    money: Mutex<Money>,
    used: Mutex<HashMap<String, u64>>,
    /// Locked before a shard, never after one.
    names: Mutex<HashMap<Named, Purchase>>,
    pub(super) bought: Bought,
}

/// Whether one more row fits.
fn room<K: Eq + Hash, V>(table: &HashMap<K, V>, key: &K, max: usize) -> Result<(), LedgerError> {
    if table.len() < max || table.contains_key(key) {
        Ok(())
    } else {
        Err(LedgerError::Full)
    }
}

impl MemoryLedger {
    fn take_now(&self, counter: &Counter, now_ms: u64) -> Result<Taken, LedgerError> {
        let mut counters = locked(&self.books.counters);
        let before = counters.get(&counter.name).copied();
        let (after, taken) = Count::take(before, counter, now_ms);
        if let Some(after) = after {
            room(&counters, &counter.name, self.max_records)?;
            counters.insert(counter.name.clone(), after);
        }
        Ok(taken)
    }

    fn give_back_now(&self, counter: &str, until_ms: Option<u64>) {
        if let Some(count) = locked(&self.books.counters).get_mut(counter)
            && let Some(after) = count.give_back(until_ms)
        {
            *count = after;
        }
    }

    fn keep_volume_now(&self, endpoint: &str, window_ms: u64) {
        let bought = &self.books.bought;
        bought.keep(endpoint, window_ms);
        // What is settled meanwhile is noted twice, which is once.
        for shard in &self.shards {
            let shard = locked(shard);
            let open = shard.open.values().map(|open| &open.record);
            let paid = open.chain(shard.closed.values());
            paid.filter(|record| record.state.is_paid() && *record.endpoint == *endpoint)
                .for_each(|record| bought.note(record));
        }
    }

    /// Looks at every record if nobody said that this endpoint's prices depend on it: every payment would have to pay for an
    /// index by payer.
    fn volume_now(
        &self,
        payer: Address,
        endpoint: &str,
        presented_ms: &Range<u64>,
    ) -> Result<Volume, LedgerError> {
        if let Some(volume) = self.books.bought.volume(payer, endpoint, presented_ms) {
            return volume;
        }
        let mut volume = Volume::default();
        for shard in &self.shards {
            let shard = locked(shard);
            let open = shard.open.values().map(|open| &open.record);
            for record in open.chain(shard.closed.values()) {
                let counts = record.state.is_paid()
                    && record.key.payer == payer
                    && *record.endpoint == *endpoint
                    && presented_ms.contains(&record.created_ms);
                if counts {
                    let (network, asset) = (record.key.network.clone(), record.key.asset);
                    volume
                        .add(network, asset, record.amount)
                        .ok_or_else(|| LedgerError::Store("a sum is too large".to_owned()))?;
                }
            }
        }
        Ok(volume)
    }

    fn use_once_now(&self, name: &str, until_ms: u64, now_ms: u64) -> Result<bool, LedgerError> {
        let mut used = locked(&self.books.used);
        if used.get(name).is_some_and(|until| *until > now_ms) {
            return Ok(false);
        }
        let name = name.to_owned();
        room(&used, &name, self.max_records)?;
        used.insert(name, until_ms);
        Ok(true)
    }

    fn begin_identified_now(
        &self,
        new: NewPayment,
        identity: Identity,
    ) -> Result<Begin, LedgerError> {
        let named = Named {
            payer: new.key.payer,
            endpoint: new.endpoint.as_ref().to_owned(),
            name: identity.name,
        };
        // Held until the payment is begun, so that two payments of one purchase cannot both be.
        let mut names = locked(&self.books.names);
        if let Some(purchase) = names.get(&named)
            && purchase.until_ms > new.now_ms
            && purchase.payment != new.key
            && let Some(earlier) = self.shard(&purchase.payment)?.find(&purchase.payment)
            && Identity::keeps(earlier)
        {
            return Ok(Begin::Exists(std::sync::Arc::clone(earlier)));
        }
        room(&names, &named, self.max_records)?;
        let purchase = Purchase {
            payment: new.key.clone(),
            until_ms: identity.until_ms,
        };
        let begun = self.begin_now(new)?;
        names.insert(named, purchase);
        Ok(begun)
    }

    fn identified_now(&self, named: &Named) -> Result<Option<Record>, LedgerError> {
        let payment = locked(&self.books.names)
            .get(named)
            .map(|purchase| purchase.payment.clone());
        let Some(payment) = payment else {
            return Ok(None);
        };
        let found = self
            .shard(&payment)?
            .find(&payment)
            .map(|record| Record::clone(record));
        Ok(found)
    }

    fn sweep_now(&self, now_ms: u64, closed_ms: u64, max: usize) -> u64 {
        let books = &self.books;
        let counters = drop_some(&mut locked(&books.counters), max, |count| {
            count.until_ms.is_some_and(|until| until <= now_ms)
        });
        let used = drop_some(&mut locked(&books.used), max, |until| *until <= now_ms);
        let names = drop_some(&mut locked(&books.names), max, |purchase| {
            purchase.until_ms <= now_ms
        });
        let entries = drop_some(&mut locked(&books.money).entries, max, |entry| {
            entry.is_closed() && entry.at_ms < closed_ms
        });
        counters + used + names + entries + books.bought.sweep(now_ms, max)
    }
}

fn drop_some<K, V>(table: &mut HashMap<K, V>, max: usize, old: impl Fn(&V) -> bool) -> u64 {
    let mut left = max;
    let before = table.len();
    table.retain(|_, value| {
        let remove = left > 0 && old(value);
        left -= usize::from(remove);
        !remove
    });
    u64::try_from(before - table.len()).unwrap_or(u64::MAX)
}

impl Accounts for MemoryLedger {
    fn take<'a>(
        &'a self,
        counter: &'a Counter,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Taken, LedgerError>> {
        Box::pin(async move { self.take_now(counter, now_ms) })
    }

    fn give_back<'a>(
        &'a self,
        counter: &'a str,
        until_ms: Option<u64>,
    ) -> BoxFuture<'a, Result<(), LedgerError>> {
        Box::pin(async move {
            self.give_back_now(counter, until_ms);
            Ok(())
        })
    }

    fn keep_volume<'a>(
        &'a self,
        endpoint: &'a str,
        window_ms: u64,
    ) -> BoxFuture<'a, Result<(), LedgerError>> {
        Box::pin(async move {
            self.keep_volume_now(endpoint, window_ms);
            Ok(())
        })
    }

    fn volume<'a>(
        &'a self,
        payer: Address,
        endpoint: &'a str,
        presented_ms: Range<u64>,
    ) -> BoxFuture<'a, Result<Volume, LedgerError>> {
        Box::pin(async move { self.volume_now(payer, endpoint, &presented_ms) })
    }

    fn post<'a>(
        &'a self,
        reference: &'a str,
        posting: Posting,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Posted, LedgerError>> {
        Box::pin(async move { self.post_now(reference, &posting, now_ms) })
    }

    fn balance<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<Balance, LedgerError>> {
        Box::pin(async move { Ok(locked(&self.books.money).balance(account)) })
    }

    fn accounts_of<'a>(
        &'a self,
        holder: &'a str,
    ) -> BoxFuture<'a, Result<Vec<(Account, Balance)>, LedgerError>> {
        Box::pin(async move { Ok(self.accounts_of_now(holder)) })
    }

    fn pour<'a>(
        &'a self,
        reference: Option<&'a str>,
        pouring: Pouring,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<AtomicAmount, LedgerError>> {
        Box::pin(async move { self.pour_now(reference, pouring, now_ms) })
    }

    fn open_holds(
        &self,
        before_ms: u64,
        max: usize,
    ) -> BoxFuture<'_, Result<Vec<OpenHold>, LedgerError>> {
        Box::pin(async move { Ok(self.open_holds_now(before_ms, max)) })
    }

    fn use_once<'a>(
        &'a self,
        name: &'a str,
        until_ms: u64,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<bool, LedgerError>> {
        Box::pin(async move { self.use_once_now(name, until_ms, now_ms) })
    }

    fn begin_identified(
        &self,
        new: NewPayment,
        identity: Identity,
    ) -> BoxFuture<'_, Result<Begin, LedgerError>> {
        Box::pin(async move { self.begin_identified_now(new, identity) })
    }

    fn identified<'a>(
        &'a self,
        payer: Address,
        endpoint: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<Record>, LedgerError>> {
        let named = Named {
            payer,
            endpoint: endpoint.to_owned(),
            name: name.to_owned(),
        };
        Box::pin(async move { self.identified_now(&named) })
    }

    fn sweep(
        &self,
        now_ms: u64,
        closed_ms: u64,
        max: usize,
    ) -> BoxFuture<'_, Result<u64, LedgerError>> {
        Box::pin(async move { Ok(self.sweep_now(now_ms, closed_ms, max)) })
    }
}
