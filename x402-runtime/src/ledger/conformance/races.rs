//! Races for the last unit, the last money and one name.

use super::accounts::{account, amount, counter};
use super::names::identity;
use super::race::{RACERS, race};
use super::sample::{START_MS, payment};
use super::{same, text};
use crate::ledger::{Begin, Ledger, Posted, Posting, Taken};
use alloy_primitives::{B256, U256};
use std::sync::Arc;

/// How many of the racers can win where not only one can.
const ROOM: u64 = 100;

/// Of 256 concurrent callers exactly as many get a unit as there are, and nobody's number of units left is told twice.
pub(super) async fn counter_race<L: Ledger>(a: &Arc<L>, b: &Arc<L>) -> Result<(), String> {
    let taken = race(a, b, |ledger, handle, _| {
        handle.block_on(
            ledger
                .accounts()
                .take(&counter("race", Some(1_000), ROOM), START_MS),
        )
    })
    .await?;
    let mut left: Vec<u64> = taken
        .iter()
        .filter_map(|taken| match taken {
            Taken::Yes { left, .. } => Some(*left),
            Taken::Exhausted { .. } => None,
        })
        .collect();
    left.sort_unstable();
    same(
        "units left, as the winners heard",
        &left,
        &(0..ROOM).collect(),
    )
}

/// Of 256 concurrent holds exactly as many succeed as there is money for.
pub(super) async fn money_race<L: Ledger>(a: &Arc<L>, b: &Arc<L>) -> Result<(), String> {
    let credit = Posting::Credit {
        account: account("race"),
        amount: amount(u128::from(ROOM) * 3 + 2),
    };
    a.accounts()
        .post("race-credit", credit, START_MS)
        .await
        .map_err(text)?;
    let held = race(a, b, |ledger, handle, n| {
        let hold = Posting::Hold {
            account: account("race"),
            amount: amount(3),
        };
        handle.block_on(ledger.accounts().post(&format!("race-{n}"), hold, START_MS))
    })
    .await?;
    let winners = held
        .iter()
        .filter(|posted| matches!(posted, Posted::Done(_)))
        .count();
    same("holds", &u64::try_from(winners).map_err(text)?, &ROOM)?;
    let balance = b.accounts().balance(&account("race")).await.map_err(text)?;
    same("what is left", &balance.available, &amount(2))?;
    same("what is held", &balance.held, &amount(u128::from(ROOM) * 3))?;
    // And each of them is closed once, whoever tries.
    let closed = race(a, b, |ledger, handle, n| {
        let capture = Posting::Capture { amount: amount(2) };
        let reference = format!("race-{}", if n % 2 == 0 { n } else { n - 1 });
        handle.block_on(ledger.accounts().post(&reference, capture, START_MS))
    })
    .await?;
    let done = closed
        .iter()
        .filter(|posted| matches!(posted, Posted::Done(_)))
        .count();
    let balance = a.accounts().balance(&account("race")).await.map_err(text)?;
    same(
        "what is spent",
        &balance.captured,
        &amount(2 * u128::try_from(done).map_err(text)?),
    )
}

/// Of 256 concurrent callers exactly one uses a name up, and of 256 payments of one purchase exactly one is begun.
pub(super) async fn name_race<L: Ledger>(a: &Arc<L>, b: &Arc<L>) -> Result<(), String> {
    let used = race(a, b, |ledger, handle, _| {
        handle.block_on(ledger.accounts().use_once("race", START_MS + 9, START_MS))
    })
    .await?;
    same("uses", &used.iter().filter(|used| **used).count(), &1)?;
    let begun = race(a, b, |ledger, handle, n| {
        let mut new = payment(0);
        new.key.nonce = B256::from(U256::from(n));
        let begun = handle.block_on(
            ledger
                .accounts()
                .begin_identified(new, identity("race-0123456789")),
        );
        begun.map(|begun| (n, begun))
    })
    .await?;
    let winners: Vec<u64> = begun
        .iter()
        .filter(|(_, begun)| matches!(begun, Begin::Reserved))
        .map(|(n, _)| *n)
        .collect();
    let [winner] = winners.as_slice() else {
        return Err(format!(
            "{} of {RACERS} payments of one purchase were begun",
            winners.len()
        ));
    };
    let nonce = B256::from(U256::from(*winner));
    for (_, begun) in &begun {
        if let Begin::Exists(record) = begun {
            same("the payment others see", &record.key.nonce, &nonce)?;
        }
    }
    Ok(())
}
