//! Checks of what payers bought, when the records of it are gone.

use super::race::{RACERS, race};
use super::sample::{START_MS, answered, charged, intend, payment, settled};
use super::{same, text, walk};
use crate::ledger::{Event, Ledger, LedgerError, Volume};
use alloy_primitives::{B256, U256};
use std::sync::Arc;

const WINDOW_MS: u64 = 1_000_000;

/// A store that lasts.
const EVER: u64 = u64::MAX;

fn final_payment() -> Vec<Event> {
    vec![answered("x"), intend(1), settled(), Event::Finalised]
}

async fn volume(ledger: &impl Ledger) -> Result<Volume, String> {
    let payer = payment(1).key.payer;
    let volume = ledger.accounts().volume(payer, "weather", 0..EVER).await;
    volume.map_err(text)
}

async fn calls(ledger: &impl Ledger) -> Result<u64, String> {
    Ok(volume(ledger).await?.calls)
}

/// What was bought is counted for its time, once, whether its record is still there or not.
pub(super) async fn bought(ledger: &impl Ledger) -> Result<(), String> {
    let books = ledger.accounts();
    // One before anybody said that it is counted.
    walk(ledger, 1, final_payment()).await?;
    for window_ms in [5, WINDOW_MS, 5] {
        let kept = books.keep_volume("weather", window_ms).await;
        kept.map_err(text)?;
    }
    same("one from before", &calls(ledger).await?, &1)?;
    walk(ledger, 2, final_payment()).await?;
    walk(ledger, 3, vec![answered("x"), intend(1), settled()]).await?;
    let gone = vec![answered("x"), intend(1), settled(), Event::ReceiptGone];
    walk(ledger, 4, gone).await?;
    walk(ledger, 5, vec![answered("x"), Event::Expired]).await?;
    walk(ledger, 6, vec![answered("x"), intend(1)]).await?;
    // Nothing was due for it.
    walk(ledger, 7, vec![charged("x", 0), intend(1), Event::Waived]).await?;
    let wanted = volume(ledger).await?;
    same("calls", &wanted.calls, &3)?;
    for (what, removed) in [("purged", 4), ("purged again", 0)] {
        let purged = ledger.purge(EVER, 9).await.map_err(text)?;
        same(what, &purged, &removed)?;
        same(what, &volume(ledger).await?, &wanted)?;
    }
    let payer = payment(1).key.payer;
    for (times, counted) in [
        (START_MS..START_MS + 1, 3),
        (START_MS + 1..EVER, 0),
        (0..START_MS, 0),
    ] {
        let found = books.volume(payer, "weather", times).await.map_err(text)?;
        same("calls in a time", &found.calls, &counted)?;
    }
    // To the millisecond.
    for (now_ms, left) in [(START_MS + WINDOW_MS - 1, 3), (START_MS + WINDOW_MS, 0)] {
        loop {
            let swept = books.sweep(now_ms, 0, 1).await.map_err(text)?;
            if swept == 0 {
                break;
            }
        }
        let from = now_ms - WINDOW_MS + 1;
        let found = books.volume(payer, "weather", from..EVER).await;
        same("what is left", &found.map_err(text)?.calls, &left)?;
    }
    Ok(())
}

/// Of 256 payments that are made side by side, while records are purged, each is counted once.
pub(super) async fn bought_race<L: Ledger>(a: &Arc<L>, b: &Arc<L>) -> Result<(), String> {
    let kept = a.accounts().keep_volume("race", WINDOW_MS).await;
    kept.map_err(text)?;
    let payer = payment(1).key.payer;
    let seen = race(a, b, move |ledger, handle, n| {
        handle.block_on(async {
            let mut new = payment(0);
            new.key.nonce = B256::from(U256::from(n + 1_000));
            new.endpoint = "race".into();
            let key = new.key.clone();
            ledger.begin(new).await?;
            for event in final_payment() {
                ledger.advance(&key, event, START_MS).await?;
            }
            let count = async || {
                let bought = ledger.accounts().volume(payer, "race", 0..EVER);
                Ok::<_, LedgerError>(bought.await?.calls)
            };
            let before = count().await?;
            ledger.purge(EVER, 16).await?;
            Ok((before, count().await?))
        })
    })
    .await?;
    for (before, after) in seen {
        let bounds = (1..=RACERS).contains(&before) && before <= after;
        super::ensure(bounds && after <= RACERS, || {
            format!("{before} calls before a purge and {after} after it")
        })?;
    }
    let bought = b.accounts().volume(payer, "race", 0..EVER).await;
    same("calls", &bought.map_err(text)?.calls, &RACERS)
}

/// It is there after the store was closed and opened again, and still counted without being told.
pub(super) async fn reopened<L: Ledger>(mut open: impl FnMut() -> L) -> Result<(), String> {
    let ledger = open();
    let kept = ledger.accounts().keep_volume("weather", WINDOW_MS).await;
    kept.map_err(text)?;
    let before = calls(&ledger).await?;
    walk(&ledger, 70, final_payment()).await?;
    ledger.purge(EVER, 99).await.map_err(text)?;
    drop(ledger);
    let ledger = open();
    walk(&ledger, 71, final_payment()).await?;
    ledger.purge(EVER, 99).await.map_err(text)?;
    same("calls", &calls(&ledger).await?, &(before + 2))
}
