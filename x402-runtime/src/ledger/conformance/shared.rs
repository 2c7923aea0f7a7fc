//! Checks with a store that outlives its handle or has two.

use super::sample::{OWNER, START_MS, answered, intend, payment, settled};
use super::{become_next, ensure, reserve, same, text, walk};
use crate::ledger::{Advanced, Begin, Durability, Event, Ledger, Record};

/// What was written is there after the store was closed and opened again.
pub(super) async fn reopened<L: Ledger>(mut open: impl FnMut() -> L) -> Result<(), String> {
    let ledger = open();
    same("durability", &ledger.durability(), &Durability::Durable)?;
    let records = vec![
        reserve(&ledger, 1).await?,
        walk(&ledger, 2, vec![answered("2")]).await?,
        walk(&ledger, 3, vec![answered("3"), intend(1)]).await?,
        walk(&ledger, 4, vec![answered("4"), intend(1), settled()]).await?,
        walk(&ledger, 5, vec![answered("5"), Event::Expired]).await?,
    ];
    ledger
        .publish_offers("a", "[1]", 60, START_MS)
        .await
        .map_err(text)?;
    drop(ledger);

    let ledger = open();
    for record in &records {
        same(
            "a record",
            &ledger.get(&record.key).await.map_err(text)?,
            &Some(record.clone()),
        )?;
        let begun = ledger
            .begin(payment(record.key.nonce.first().copied().unwrap_or(0)))
            .await
            .map_err(text)?;
        ensure(matches!(begun, Begin::Exists(_)), || {
            format!("{} was reserved again", record.key)
        })?;
    }
    let older = ledger
        .publish_offers("a", "[2]", 60, START_MS + 1)
        .await
        .map_err(text)?;
    same("terms from before", &older.len(), &1)?;
    let [_, served, ..] = records.as_slice() else {
        return Err("no records".to_owned());
    };
    become_next(&ledger, served, intend(9), START_MS).await?;
    Ok(())
}

/// What one handle writes the other sees at once, and decides on.
pub(super) async fn writes_are_seen<L: Ledger>(a: &L, b: &L) -> Result<(), String> {
    let mut record = reserve(a, 1).await?;
    for (n, event) in (0_usize..).zip([
        answered("x"),
        intend(1),
        settled(),
        Event::ReceiptGone,
        intend(2),
        settled(),
    ]) {
        let (writer, other) = if n % 2 == 0 { (b, a) } else { (a, b) };
        record = become_next(writer, &record, event, START_MS).await?;
        sees(other, &record).await?;
    }
    // A row one of them removed is free for the other, and a stale copy of it is not used.
    let reserved = reserve(a, 2).await?;
    let removed = b
        .advance(
            &reserved.key,
            Event::HandlerFailed { owner: OWNER },
            START_MS,
        )
        .await
        .map_err(text)?;
    ensure(matches!(removed, Advanced::Removed), || {
        format!("not removed: {removed:?}")
    })?;
    let late = a
        .advance(&reserved.key, answered("late"), START_MS)
        .await
        .map_err(text)?;
    ensure(matches!(late, Advanced::Lost(None)), || {
        format!("a removed record moved: {late:?}")
    })
}

async fn sees<L: Ledger>(ledger: &L, record: &Record) -> Result<(), String> {
    same(
        "the other handle",
        &ledger.get(&record.key).await.map_err(text)?,
        &Some(record.clone()),
    )?;
    match ledger
        .advance(&record.key, answered("again"), START_MS)
        .await
        .map_err(text)?
    {
        Advanced::Lost(Some(found)) => same("the other handle's decision", &*found, record),
        other => Err(format!("a second answer was taken: {other:?}")),
    }
}
