//! Checks that a store keeps the promises of [`Ledger`], for the stores of this crate and for yours.
//!
//! ```
//! use x402_runtime::ledger::{MemoryLedger, conformance};
//!
//! # let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
//! # runtime.block_on(async {
//! conformance::run(MemoryLedger::new).await?;
//! # Ok::<(), String>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A durable store should also pass [`run_reopened`], and one that several processes may use [`run_shared`].

mod accounts;
mod bought;
mod names;
mod queue;
mod race;
mod races;
mod sample;
mod shared;
mod single;
mod twice;

use super::store::{Advanced, Begin, Ledger};
use super::transition::{Next, step};
use super::{Event, Record};
use std::fmt::Debug;
use std::sync::Arc;

/// Runs every check that needs one handle to a store. `open` must return an empty store each time it is called.
///
/// Call it inside a tokio runtime: the race checks start threads that use it.
///
/// # Errors
///
/// A sentence that says which promise was broken, and with what result.
pub async fn run<L: Ledger>(mut open: impl FnMut() -> L) -> Result<(), String> {
    single::life(&open()).await.map_err(named("life"))?;
    single::every_field_survives(&open())
        .await
        .map_err(named("every field survives"))?;
    single::keys_are_apart(&open())
        .await
        .map_err(named("keys are apart"))?;
    single::losers_change_nothing(&open())
        .await
        .map_err(named("losers change nothing"))?;
    single::removed_is_free(&open())
        .await
        .map_err(named("removed is free"))?;
    twice::two_steps(&open())
        .await
        .map_err(named("two steps"))?;
    queue::due(&open()).await.map_err(named("due"))?;
    queue::purge(&open()).await.map_err(named("purge"))?;
    queue::offers(&open()).await.map_err(named("offers"))?;
    race::begin(&Arc::new(open()))
        .await
        .map_err(named("race of begin"))?;
    race::advance(&Arc::new(open()))
        .await
        .map_err(named("race of advance"))?;
    beside(open).await
}

/// The checks of what a store keeps beside payments.
async fn beside<L: Ledger>(mut open: impl FnMut() -> L) -> Result<(), String> {
    accounts::counters(&open())
        .await
        .map_err(named("counters"))?;
    accounts::pourings(&open())
        .await
        .map_err(named("pourings"))?;
    accounts::postings(&open())
        .await
        .map_err(named("postings"))?;
    accounts::open_holds(&open())
        .await
        .map_err(named("open holds"))?;
    accounts::volume(&open()).await.map_err(named("volume"))?;
    bought::bought(&open()).await.map_err(named("bought"))?;
    names::used_once(&open())
        .await
        .map_err(named("used once"))?;
    names::purchases(&open())
        .await
        .map_err(named("purchases"))?;
    names::names_are_apart(&open())
        .await
        .map_err(named("names are apart"))?;
    names::swept(&open()).await.map_err(named("swept"))?;
    let ledger = Arc::new(open());
    race_beside(&ledger, &ledger).await
}

async fn race_beside<L: Ledger>(a: &Arc<L>, b: &Arc<L>) -> Result<(), String> {
    races::counter_race(a, b)
        .await
        .map_err(named("race for the last unit"))?;
    races::money_race(a, b)
        .await
        .map_err(named("race for the last money"))?;
    races::name_race(a, b)
        .await
        .map_err(named("race for a name"))?;
    bought::bought_race(a, b)
        .await
        .map_err(named("race to be counted"))
}

/// Runs the checks of a store that survives its process. `open` must open the same, at first empty, store each time; it is
/// called after the handle from before was dropped.
///
/// # Errors
///
/// A sentence that says which promise was broken.
pub async fn run_reopened<L: Ledger>(mut open: impl FnMut() -> L) -> Result<(), String> {
    shared::reopened(&mut open)
        .await
        .map_err(named("reopened"))?;
    names::reopened(&mut open)
        .await
        .map_err(named("reopened, beside payments"))?;
    bought::reopened(open)
        .await
        .map_err(named("reopened, what was bought"))
}

/// Runs the checks of a store that several processes may use, given two handles to the same empty store.
///
/// # Errors
///
/// A sentence that says which promise was broken.
pub async fn run_shared<L: Ledger>(a: L, b: L) -> Result<(), String> {
    let (a, b) = (Arc::new(a), Arc::new(b));
    shared::writes_are_seen(&*a, &*b)
        .await
        .map_err(named("writes are seen by the other"))?;
    race::begin_on_both(&a, &b)
        .await
        .map_err(named("race of begin on both"))?;
    race_beside(&a, &b).await
}

fn named(check: &'static str) -> impl FnOnce(String) -> String {
    move |error| format!("{check}: {error}")
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

fn same<T: PartialEq + Debug>(what: &str, found: &T, wanted: &T) -> Result<(), String> {
    ensure(found == wanted, || {
        format!("{what}: found {found:?}, wanted {wanted:?}")
    })
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape `map_err` asks for"
)]
fn text(error: impl ToString) -> String {
    error.to_string()
}

async fn reserve(ledger: &impl Ledger, n: u8) -> Result<Record, String> {
    let new = sample::payment(n);
    let wanted = Record::reserve(new.clone());
    match ledger.begin(new).await.map_err(text)? {
        Begin::Reserved => {}
        Begin::Exists(record) => return Err(format!("a free payment is taken: {record:?}")),
    }
    same(
        "a reservation",
        &ledger.get(&wanted.key).await.map_err(text)?,
        &Some(wanted.clone()),
    )?;
    Ok(wanted)
}

/// Applies an event that must be allowed, and checks the store's answer and contents against [`step`].
async fn apply(
    ledger: &impl Ledger,
    record: &Record,
    event: Event,
    now_ms: u64,
) -> Result<Option<Record>, String> {
    let name = event.name();
    let wanted = match step(record, &event).map_err(text)?.at(now_ms).next {
        Next::Remove => None,
        Next::Become(next) => Some(Record::clone(&next)),
    };
    match (
        ledger
            .advance(&record.key, event, now_ms)
            .await
            .map_err(text)?,
        &wanted,
    ) {
        (Advanced::Done(found), Some(wanted)) => same(name, &*found, wanted)?,
        (Advanced::Removed, None) => {}
        (other, _) => return Err(format!("{name}: answered {other:?}, wanted {wanted:?}")),
    }
    same(name, &ledger.get(&record.key).await.map_err(text)?, &wanted)?;
    Ok(wanted)
}

async fn become_next(
    ledger: &impl Ledger,
    record: &Record,
    event: Event,
    now_ms: u64,
) -> Result<Record, String> {
    apply(ledger, record, event, now_ms)
        .await?
        .ok_or_else(|| "the record is gone".to_owned())
}

/// Takes a payment through these events, one millisecond apart.
async fn walk(ledger: &impl Ledger, n: u8, events: Vec<Event>) -> Result<Record, String> {
    let mut record = reserve(ledger, n).await?;
    for event in events {
        let now_ms = record.updated_ms.saturating_add(1);
        record = become_next(ledger, &record, event, now_ms).await?;
    }
    Ok(record)
}
