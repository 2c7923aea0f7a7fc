//! Checks with many threads.

use super::sample::{OWNER, START_MS, answered, intend, payment};
use super::{ensure, same, text, walk};
use crate::ledger::{Advanced, Begin, Ledger, LedgerError, State};
use std::sync::{Arc, Barrier};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// How many presentations of one payment race.
pub(super) const RACERS: u64 = 256;

/// Of many equal presentations exactly one is reserved (threat G1).
pub(super) async fn begin<L: Ledger>(ledger: &Arc<L>) -> Result<(), String> {
    begin_on_both(ledger, ledger).await
}

pub(super) async fn begin_on_both<L: Ledger>(a: &Arc<L>, b: &Arc<L>) -> Result<(), String> {
    let begun = race(a, b, |ledger, handle, owner| {
        let mut new = payment(100);
        new.owner = owner;
        handle
            .block_on(ledger.begin(new))
            .map(|begin| (owner, begin))
    })
    .await?;
    let winners: Vec<u64> = begun
        .iter()
        .filter(|(_, begin)| matches!(begin, Begin::Reserved))
        .map(|(owner, _)| *owner)
        .collect();
    let [winner] = winners.as_slice() else {
        return Err(format!("{} of {RACERS} were reserved", winners.len()));
    };
    for (_, begin) in &begun {
        if let Begin::Exists(record) = begin {
            same("the owner others see", &record.owner, winner)?;
        }
    }
    Ok(())
}

/// Of many who want to settle one payment exactly one may.
pub(super) async fn advance<L: Ledger>(ledger: &Arc<L>) -> Result<(), String> {
    let served = walk(&**ledger, 101, vec![answered("x")]).await?;
    let key = served.key.clone();
    let moved = race(ledger, ledger, move |ledger, handle, owner| {
        handle
            .block_on(ledger.advance(&key, intend(owner), START_MS))
            .map(|advanced| (owner, advanced))
    })
    .await?;
    let winners: Vec<u64> = moved
        .iter()
        .filter(|(_, advanced)| matches!(advanced, Advanced::Done(_)))
        .map(|(owner, _)| *owner)
        .collect();
    let [winner] = winners.as_slice() else {
        return Err(format!("{} of {RACERS} may settle", winners.len()));
    };
    let now = ledger.get(&served.key).await.map_err(text)?;
    ensure(
        now.is_some_and(|record| record.state == State::Settling && record.owner == *winner),
        || format!("owner {winner} won, but the record says otherwise"),
    )
}

/// Runs `act` in [`RACERS`] threads at the same time, half of them on each handle. Overloads are tried again.
pub(super) async fn race<L, T, F>(a: &Arc<L>, b: &Arc<L>, act: F) -> Result<Vec<T>, String>
where
    L: Ledger,
    T: Send + 'static,
    F: Fn(&L, &Handle, u64) -> Result<T, LedgerError> + Clone + Send + 'static,
{
    let handle = Handle::try_current().map_err(|_| "call it inside a tokio runtime".to_owned())?;
    let barrier = Arc::new(Barrier::new(usize::try_from(RACERS).map_err(text)?));
    let (sender, mut results) = mpsc::unbounded_channel();
    for n in 0..RACERS {
        let ledger = Arc::clone(if n % 2 == 0 { a } else { b });
        let (handle, barrier, sender, act) = (
            handle.clone(),
            Arc::clone(&barrier),
            sender.clone(),
            act.clone(),
        );
        std::thread::spawn(move || {
            barrier.wait();
            let result = loop {
                match act(&ledger, &handle, OWNER + n) {
                    Err(LedgerError::Overloaded) => std::thread::yield_now(),
                    other => break other,
                }
            };
            // The check ends early when one fails.
            let _ = sender.send(result);
        });
    }
    drop(sender);
    let mut all = Vec::new();
    while let Some(result) = results.recv().await {
        all.push(result.map_err(text)?);
    }
    same(
        "racers that came back",
        &all.len(),
        &usize::try_from(RACERS).map_err(text)?,
    )?;
    Ok(all)
}
