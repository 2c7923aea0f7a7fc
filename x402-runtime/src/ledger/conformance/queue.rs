//! Checks of what a store keeps beside the life of one payment: the resolver's queue, old records and offered terms.

use super::sample::{LEASE_MS, START_MS, VALID_BEFORE, answered, intend, payment, settled};
use super::{become_next, ensure, reserve, same, text, walk};
use crate::facilitator::Evidence;
use crate::ledger::{Event, Ledger, Record};
use std::collections::BTreeSet;

pub(super) async fn due(ledger: &impl Ledger) -> Result<(), String> {
    reserve(ledger, 1).await?;
    walk(ledger, 2, vec![answered("2")]).await?;
    walk(ledger, 3, vec![answered("3"), intend(1)]).await?;
    walk(
        ledger,
        4,
        vec![
            answered("4"),
            intend(1),
            Event::Unanswered { transaction: None },
        ],
    )
    .await?;
    walk(ledger, 5, vec![answered("5"), intend(1), settled()]).await?;
    walk(
        ledger,
        6,
        vec![answered("6"), intend(1), settled(), Event::Finalised],
    )
    .await?;
    walk(ledger, 7, vec![answered("7"), Event::Expired]).await?;
    walk(
        ledger,
        8,
        vec![
            answered("8"),
            intend(1),
            Event::Refused {
                code: "no".to_owned(),
            },
        ],
    )
    .await?;

    nonces_due(ledger, START_MS, 99, &[]).await?;
    nonces_due(ledger, START_MS + 3, 99, &[4, 5]).await?;
    nonces_due(ledger, LEASE_MS - 1, 99, &[4, 5]).await?;
    nonces_due(ledger, LEASE_MS, 99, &[1, 2, 3, 4, 5]).await?;
    // A refused payment is not tried again in the background, but it must end.
    nonces_due(ledger, (VALID_BEFORE + 1) * 1000, 99, &[1, 2, 3, 4, 5, 8]).await?;
    looked_at_go_back(ledger).await
}

/// Longest due first, and looked-at records go to the back: nobody starves behind a few that cannot be decided.
async fn looked_at_go_back(ledger: &impl Ledger) -> Result<(), String> {
    let first = ledger.due(LEASE_MS, 1).await.map_err(text)?;
    let [record] = first.as_slice() else {
        return Err(format!("wanted one record, found {}", first.len()));
    };
    ensure(matches!(record.key.nonce.first(), Some(4 | 5)), || {
        format!("not the longest due: {record:?}")
    })?;
    let looked = Event::Evidence(Evidence::Unavailable {
        reason: "down".to_owned(),
    });
    let whole = ledger.get(&record.key).await.map_err(text)?;
    let whole = whole.ok_or("what is due is not there")?;
    become_next(ledger, &whole, looked, LEASE_MS).await?;
    let second = ledger.due(LEASE_MS, 1).await.map_err(text)?;
    ensure(
        second.first().is_some_and(|other| other.key != record.key),
        || "the same record again".to_owned(),
    )
}

async fn nonces_due(
    ledger: &impl Ledger,
    now_ms: u64,
    max: usize,
    wanted: &[u8],
) -> Result<(), String> {
    let records = ledger.due(now_ms, max).await.map_err(text)?;
    let times: Vec<_> = records.iter().map(Record::due_ms).collect();
    ensure(times.is_sorted(), || {
        format!("due at {now_ms} is not in order: {times:?}")
    })?;
    for record in &records {
        same(
            "a due record",
            &Some(record.clone()),
            &ledger
                .get(&record.key)
                .await
                .map_err(text)?
                .map(|whole| whole.without_answer()),
        )?;
    }
    let found: BTreeSet<u8> = records
        .iter()
        .filter_map(|record| record.key.nonce.first().copied())
        .collect();
    same(
        &format!("due at {now_ms}"),
        &found,
        &wanted.iter().copied().collect(),
    )
}

/// Only closed records go, and not before their authorization has expired: the nonce must not buy again.
pub(super) async fn purge(ledger: &impl Ledger) -> Result<(), String> {
    let late = VALID_BEFORE * 1000;
    walk(
        ledger,
        1,
        vec![answered("1"), intend(1), settled(), Event::Finalised],
    )
    .await?;
    walk(ledger, 2, vec![answered("2"), Event::Expired]).await?;
    walk(ledger, 3, vec![answered("3"), intend(1), settled()]).await?;
    walk(ledger, 4, vec![answered("4"), Event::Expired]).await?;
    reserve(ledger, 5).await?;
    same(
        "purged too early",
        &ledger.purge(late, 99).await.map_err(text)?,
        &0,
    )?;
    same(
        "purged two of three",
        &ledger.purge(late + 1, 2).await.map_err(text)?,
        &2,
    )?;
    same(
        "purged the third",
        &ledger.purge(u64::MAX, 99).await.map_err(text)?,
        &1,
    )?;
    same(
        "purged what is open",
        &ledger.purge(u64::MAX, 99).await.map_err(text)?,
        &0,
    )?;
    for (n, kept) in [(1, false), (2, false), (3, true), (4, false), (5, true)] {
        let found = ledger.get(&payment(n).key).await.map_err(text)?.is_some();
        ensure(found == kept, || {
            format!("payment {n}: kept is {found}, wanted {kept}")
        })?;
    }
    Ok(())
}

/// Price changes between a 402 and its payment.
pub(super) async fn offers(ledger: &impl Ledger) -> Result<(), String> {
    publish(ledger, "a", "[1]", START_MS, &[]).await?;
    publish(ledger, "a", "[1]", START_MS + 1, &[]).await?;
    publish(ledger, "b", "[9]", START_MS + 1, &[]).await?;
    publish(ledger, "a", "[2]", START_MS + 2, &["[1]"]).await?;
    publish(ledger, "a", "[2]", START_MS + 3, &["[1]"]).await?;
    publish(ledger, "a", "[3]", START_MS + 4, &["[1]", "[2]"]).await?;
    // Back to earlier terms: they are the present ones again.
    publish(ledger, "a", "[1]", START_MS + 5, &["[2]", "[3]"]).await?;
    // 60 seconds after each was replaced.
    publish(ledger, "a", "[1]", START_MS + 60_004, &["[2]", "[3]"]).await?;
    publish(ledger, "a", "[1]", START_MS + 60_005, &["[3]"]).await?;
    publish(ledger, "a", "[1]", START_MS + 60_006, &[]).await?;
    publish(ledger, "b", "[9]", START_MS + 60_006, &[]).await
}

async fn publish(
    ledger: &impl Ledger,
    endpoint: &str,
    terms: &str,
    now_ms: u64,
    wanted: &[&str],
) -> Result<(), String> {
    let older = ledger
        .publish_offers(endpoint, terms, 60, now_ms)
        .await
        .map_err(text)?;
    for offer in &older {
        same(
            "the end of older terms",
            &offer.until_ms,
            &offer.superseded_ms.saturating_add(60_000),
        )?;
    }
    let found: Vec<&str> = older
        .iter()
        .map(|offer| offer.accepts_json.as_str())
        .collect();
    same(
        &format!("older terms of {endpoint} at {now_ms}"),
        &found,
        &wanted.to_vec(),
    )
}
