//! A ledger in memory, for tests and trials: a restart forgets it.

mod accounts;
mod bought;

use super::account::Accounts;
use super::event::Event;
use super::key::PaymentKey;
use super::offers::{OfferBook, SupersededOffer};
use super::record::{NewPayment, Record};
use super::store::{Advanced, Begin, Durability, Ledger, LedgerError, Twice};
use super::transition::{Next, step};
use crate::facilitator::BoxFuture;
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::ready;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    books: accounts::Books,
}

/// Open and closed records apart: nothing moves a closed one, and most records of a busy seller are closed.
#[derive(Default)]
struct Shard {
    open: HashMap<PaymentKey, Open>,
    closed: HashMap<PaymentKey, Arc<Record>>,
    /// The open records by [`Record::due_ms`], so that `due` need not look at all of them, and by a number that tells equal
    /// times apart.
    due: Due,
    serial: u64,
}

type Due = BTreeMap<(u64, u64), Arc<Record>>;

struct Open {
    serial: u64,
    record: Arc<Record>,
}

impl Shard {
    fn find(&self, key: &PaymentKey) -> Option<&Arc<Record>> {
        let open = self.open.get(key).map(|open| &open.record);
        open.or_else(|| self.closed.get(key))
    }

    fn add(&mut self, record: Record) {
        let (serial, record) = (self.serial, Arc::new(record));
        self.serial = serial.wrapping_add(1);
        note(&mut self.due, serial, None, Some(&record));
        let open = Open { serial, record };
        self.open.insert(open.record.key.clone(), open);
    }

    fn advance(&mut self, key: &PaymentKey, event: &Event, now_ms: u64) -> Advanced {
        let Some(Open { serial, record }) = self.open.get_mut(key) else {
            // Nothing moves a closed record.
            return Advanced::Lost(self.closed.get(key).cloned());
        };
        let Ok(step) = step(record, event) else {
            return Advanced::Lost(Some(Arc::clone(record)));
        };
        let (serial, before) = (*serial, record.due_ms());
        let Next::Become(next) = step.at(now_ms).next else {
            note(&mut self.due, serial, before, None);
            self.open.remove(key);
            return Advanced::Removed;
        };
        note(&mut self.due, serial, before, Some(&next));
        if next.state.is_closed() {
            self.open.remove(key);
            self.closed.insert(key.clone(), Arc::clone(&next));
        } else {
            *record = Arc::clone(&next);
        }
        Advanced::Done(next)
    }
}

/// Puts a record in its place among those that are due, and takes it from its place before.
fn note(due: &mut Due, serial: u64, before: Option<u64>, record: Option<&Arc<Record>>) {
    let after = record.and_then(|record| Some((record.due_ms()?, record)));
    if let Some(at) = before
        && after.is_none_or(|(after, _)| after != at)
    {
        due.remove(&(at, serial));
    }
    if let Some((at, record)) = after {
        due.insert((at, serial), Arc::clone(record));
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
            books: accounts::Books::default(),
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
            return Ok(Begin::Exists(Arc::clone(record)));
        }
        let bought = self.books.bought.len();
        if self.count.fetch_add(1, Ordering::Relaxed).max(bought) >= self.max_records {
            self.count.fetch_sub(1, Ordering::Relaxed);
            return Err(LedgerError::Full);
        }
        shard.add(Record::reserve(new));
        Ok(Begin::Reserved)
    }

    fn advance_now(
        &self,
        key: &PaymentKey,
        event: &Event,
        now_ms: u64,
    ) -> Result<Advanced, LedgerError> {
        let mut shard = self.shard(key)?;
        Ok(self.counted(shard.advance(key, event, now_ms)))
    }

    fn advance_twice_now(
        &self,
        key: &PaymentKey,
        [first, second]: &[Event; 2],
        now_ms: u64,
    ) -> Result<Twice, LedgerError> {
        let mut shard = self.shard(key)?;
        Ok(match shard.advance(key, first, now_ms) {
            Advanced::Done(_) => Twice::Second(self.counted(shard.advance(key, second, now_ms))),
            other => Twice::First(self.counted(other)),
        })
    }

    /// Keeps the counts right, as long as the shard is locked.
    fn counted(&self, advanced: Advanced) -> Advanced {
        match &advanced {
            Advanced::Done(record) => self.books.bought.note(record),
            Advanced::Removed => {
                self.count.fetch_sub(1, Ordering::Relaxed);
            }
            Advanced::Lost(_) => {}
        }
        advanced
    }

    fn due_now(&self, now_ms: u64, max: usize) -> Vec<Record> {
        let mut due: Vec<(u64, Arc<Record>)> = Vec::new();
        for shard in &self.shards {
            // Nothing later than the last one found so far is wanted.
            let latest = due.get(max.saturating_sub(1)).map_or(now_ms, |(at, _)| *at);
            let shard = locked(shard);
            let ready = shard.due.range(..=(latest, u64::MAX)).take(max);
            due.extend(ready.map(|((at, _), record)| (*at, Arc::clone(record))));
            drop(shard);
            due.sort_by_key(|(at, _)| *at);
            due.truncate(max);
        }
        due.iter()
            .map(|(_, record)| record.without_answer())
            .collect()
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
        done(self.begin_now(new))
    }

    fn advance<'a>(
        &'a self,
        key: &'a PaymentKey,
        event: Event,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Advanced, LedgerError>> {
        done(self.advance_now(key, &event, now_ms))
    }

    fn advance_twice<'a>(
        &'a self,
        key: &'a PaymentKey,
        events: [Event; 2],
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Twice, LedgerError>> {
        done(self.advance_twice_now(key, &events, now_ms))
    }

    fn get<'a>(
        &'a self,
        key: &'a PaymentKey,
    ) -> BoxFuture<'a, Result<Option<Record>, LedgerError>> {
        Box::pin(async move {
            Ok(self
                .shard(key)?
                .find(key)
                .map(|record| Record::clone(record)))
        })
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

    fn accounts(&self) -> &dyn Accounts {
        self
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}

/// What is in memory is done at once: the future is small, and nothing is carried into it.
fn done<'a, T: Send + 'a>(output: T) -> BoxFuture<'a, T> {
    Box::pin(ready(output))
}

/// A thread that panicked cannot have left a record half written: records are replaced whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
