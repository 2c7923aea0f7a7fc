//! Money that goes from one account to another as a whole. Pure; stores only load and save it.

use super::money::{Account, Balance, Entry, EntryState};
use x402_model::money::AtomicAmount;

/// What is poured where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pouring {
    /// The account that is emptied. What is held on it stays.
    pub from: Account,
    /// The account that gets all of it; another one.
    pub to: Account,
    /// Nothing moves unless less than this is available. Always, if none.
    pub below: Option<AtomicAmount>,
}

/// What a pouring comes to. Pure, so that all stores keep the same books.
pub(in crate::ledger) struct Poured {
    pub(in crate::ledger) from: Balance,
    pub(in crate::ledger) to: Balance,
    pub(in crate::ledger) amount: AtomicAmount,
    /// What the reference stands for from now on.
    pub(in crate::ledger) entry: Entry,
}

/// Decides a pouring between two balances. `None` when nothing moves.
pub(in crate::ledger) fn pour(
    pouring: &Pouring,
    from: Balance,
    to: Balance,
    now_ms: u64,
) -> Option<Poured> {
    let amount = from.available;
    let stays = pouring.below.is_some_and(|below| amount >= below);
    if amount.is_zero() || stays || pouring.from == pouring.to {
        return None;
    }
    let available = to.available.checked_add(amount)?;
    // As for a credit: the sum of all parts must be countable.
    available
        .checked_add(to.held)
        .and_then(|sum| sum.checked_add(to.captured))?;
    Some(Poured {
        from: Balance {
            available: AtomicAmount::ZERO,
            ..from
        },
        to: Balance { available, ..to },
        amount,
        entry: Entry {
            account: pouring.to.clone(),
            amount,
            state: EntryState::Credited,
            at_ms: now_ms,
        },
    })
}
