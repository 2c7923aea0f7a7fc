//! A ledger in memory, for tests and trials: a restart forgets it.

use super::event::Event;
use super::key::PaymentKey;
use super::offers::{OfferBook, SupersededOffer};
use super::record::{NewPayment, Record};
use super::store::{Advanced, Begin, Durability, Ledger, LedgerError};
use super::transition::{Next, step};
use crate::facilitator::BoxFuture;
use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::fmt;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Enough that two payments rarely wait for each other, few enough to walk through.
const SHARDS: usize = 64;

/// How many records a ledger in memory holds unless told otherwise.
const DEFAULT_MAX_RECORDS: usize = 1_000_000;

/// A ledger in memory.
///
/// Correct between threads, lost with the process: after a restart used payments are unknown to it, so only the chain stops a
/// second use, and outcomes that were unknown stay unknown. Use [`SqliteLedger`](super::SqliteLedger) to sell for money.
///
/// ```
/// use x402_runtime::ledger::{Durability, Ledger, MemoryLedger};
///
/// let ledger = MemoryLedger::new().with_max_records(10_000);
/// assert_eq!(ledger.durability(), Durability::Volatile);
/// ```
pub struct MemoryLedger {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    count: AtomicUsize,
    max_records: usize,
    offers: Mutex<HashMap<String, OfferBook>>,
}

/// Open and closed records apart, because `due` looks at all open ones and most records of a busy seller are closed.
#[derive(Default)]
struct Shard {
    open: HashMap<PaymentKey, Record>,
    closed: HashMap<PaymentKey, Record>,
}

impl Shard {
    fn find(&self, key: &PaymentKey) -> Option<&Record> {
        self.open.get(key).or_else(|| self.closed.get(key))
    }
}

impl MemoryLedger {
    /// An empty ledger that holds up to a million records.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            count: AtomicUsize::new(0),
            max_records: DEFAULT_MAX_RECORDS,
            offers: Mutex::default(),
        }
    }

    /// Sets how many records may be held before new payments are refused with [`LedgerError::Full`].
    #[must_use]
    pub const fn with_max_records(mut self, max_records: usize) -> Self {
        self.max_records = max_records;
        self
    }

    /// How many records are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Whether no record is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, key: &PaymentKey) -> Result<MutexGuard<'_, Shard>, LedgerError> {
        let shards = u64::try_from(self.shards.len()).unwrap_or(1).max(1);
        let index = usize::try_from(self.hasher.hash_one(key) % shards).unwrap_or(0);
        self.shards
            .get(index)
            .map(locked)
            .ok_or(LedgerError::Closed)
    }

    fn begin_now(&self, new: NewPayment) -> Result<Begin, LedgerError> {
        let mut shard = self.shard(&new.key)?;
        if let Some(record) = shard.find(&new.key) {
            return Ok(Begin::Exists(Box::new(record.clone())));
        }
        if self.count.fetch_add(1, Ordering::Relaxed) >= self.max_records {
            self.count.fetch_sub(1, Ordering::Relaxed);
            return Err(LedgerError::Full);
        }
        shard.open.insert(new.key.clone(), Record::reserve(new));
        Ok(Begin::Reserved)
    }

    fn advance_now(
        &self,
        key: &PaymentKey,
        event: &Event,
        now_ms: u64,
    ) -> Result<Advanced, LedgerError> {
        let mut guard = self.shard(key)?;
        let shard = &mut *guard;
        let Entry::Occupied(mut entry) = shard.open.entry(key.clone()) else {
            // Nothing moves a closed record.
            return Ok(Advanced::Lost(shard.closed.get(key).cloned().map(Box::new)));
        };
        let Ok(step) = step(entry.get(), event) else {
            return Ok(Advanced::Lost(Some(Box::new(entry.get().clone()))));
        };
        let Next::Become(next) = step.at(now_ms).next else {
            entry.remove();
            self.count.fetch_sub(1, Ordering::Relaxed);
            return Ok(Advanced::Removed);
        };
        if next.state.is_closed() {
            let (key, _) = entry.remove_entry();
            shard.closed.insert(key, (*next).clone());
        } else {
            entry.insert((*next).clone());
        }
        Ok(Advanced::Done(next))
    }

    fn due_now(&self, now_ms: u64, max: usize) -> Vec<Record> {
        let mut due: Vec<(u64, Record)> = Vec::new();
        for shard in &self.shards {
            let shard = locked(shard);
            let mut ready: Vec<(u64, &Record)> = shard
                .open
                .values()
                .filter_map(|record| Some((record.due_ms().filter(|at| *at <= now_ms)?, record)))
                .collect();
            // Only what comes before the last one found so far is worth a copy.
            if due.len() >= max
                && let Some((at, last)) = due.last()
            {
                ready.retain(|(other, record)| (*other, &record.key) < (*at, &last.key));
            }
            ready.sort_by(|a, b| (a.0, &a.1.key).cmp(&(b.0, &b.1.key)));
            // Holds at most twice `max` copies, however many records are due.
            due.extend(
                ready
                    .into_iter()
                    .take(max)
                    .map(|(at, record)| (at, record.without_answer())),
            );
            due.sort_by(|a, b| (a.0, &a.1.key).cmp(&(b.0, &b.1.key)));
            due.truncate(max);
        }
        due.into_iter().map(|(_, record)| record).collect()
    }

    fn purge_now(&self, before_ms: u64, max: usize) -> u64 {
        let mut removed = 0_usize;
        for shard in &self.shards {
            locked(shard).closed.retain(|_, record| {
                let old = record.closed_ms().is_some_and(|at| at < before_ms);
                let remove = old && removed < max;
                removed += usize::from(remove);
                !remove
            });
        }
        self.count.fetch_sub(removed, Ordering::Relaxed);
        u64::try_from(removed).unwrap_or(u64::MAX)
    }

    fn publish_now(
        &self,
        endpoint: &str,
        accepts_json: &str,
        max_timeout_seconds: u64,
        now_ms: u64,
    ) -> Result<Vec<SupersededOffer>, LedgerError> {
        let mut offers = locked(&self.offers);
        if !offers.contains_key(endpoint) && offers.len() >= self.max_records {
            return Err(LedgerError::Full);
        }
        let book = offers.entry(endpoint.to_owned()).or_default();
        book.publish(accepts_json, max_timeout_seconds, now_ms);
        Ok(book.superseded.clone())
    }
}

impl Default for MemoryLedger {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLedger")
            .field("records", &self.len())
            .field("max_records", &self.max_records)
            .finish()
    }
}

impl Ledger for MemoryLedger {
    fn begin(&self, new: NewPayment) -> BoxFuture<'_, Result<Begin, LedgerError>> {
        Box::pin(async move { self.begin_now(new) })
    }

    fn advance<'a>(
        &'a self,
        key: &'a PaymentKey,
        event: Event,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Advanced, LedgerError>> {
        Box::pin(async move { self.advance_now(key, &event, now_ms) })
    }

    fn get<'a>(
        &'a self,
        key: &'a PaymentKey,
    ) -> BoxFuture<'a, Result<Option<Record>, LedgerError>> {
        Box::pin(async move { Ok(self.shard(key)?.find(key).cloned()) })
    }

    fn due(&self, now_ms: u64, max: usize) -> BoxFuture<'_, Result<Vec<Record>, LedgerError>> {
        Box::pin(async move { Ok(self.due_now(now_ms, max)) })
    }

    fn purge(&self, before_ms: u64, max: usize) -> BoxFuture<'_, Result<u64, LedgerError>> {
        Box::pin(async move { Ok(self.purge_now(before_ms, max)) })
    }

    fn publish_offers<'a>(
        &'a self,
        endpoint: &'a str,
        accepts_json: &'a str,
        max_timeout_seconds: u64,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<SupersededOffer>, LedgerError>> {
        Box::pin(
            async move { self.publish_now(endpoint, accepts_json, max_timeout_seconds, now_ms) },
        )
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}

/// A thread that panicked cannot have left a record half written: records are replaced whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
