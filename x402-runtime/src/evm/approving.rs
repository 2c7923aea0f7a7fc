//! Who is being given money for an approval, and who was lately: one payer never gets it twice at a time, nor twice an hour.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alloy_primitives::Address;

/// How long a payer that was given money waits until it is given more.
const PAUSE_MS: u64 = 3_600_000;
/// Payers remembered. When so many were given money within the pause, nobody else is.
const MAX_PAYERS: usize = 65_536;

/// The payers whose approvals are on their way, and those who were given money.
#[derive(Debug, Default)]
pub(crate) struct Approving {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    busy: HashSet<Address>,
    /// When each payer was given money, in milliseconds.
    given: HashMap<Address, u64>,
}

/// The right to bring one payer's approval onto the chain.
#[derive(Debug)]
pub(crate) struct Turn {
    all: Arc<Approving>,
    payer: Address,
}

impl Approving {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a payer's turn; `None` while somebody else has it.
    pub(crate) fn enter(self: &Arc<Self>, payer: Address) -> Option<Turn> {
        self.lock().busy.insert(payer).then(|| Turn {
            all: Arc::clone(self),
            payer,
        })
    }
}

impl Turn {
    /// Notes that the payer is given money; `false` when it was given some lately.
    pub(crate) fn may_give(&self, now_ms: u64) -> bool {
        let mut state = self.all.lock();
        let lately = |at: &u64| now_ms < at.saturating_add(PAUSE_MS);
        if state.given.get(&self.payer).is_some_and(lately) {
            return false;
        }
        if state.given.len() >= MAX_PAYERS {
            state.given.retain(|_, at| lately(at));
        }
        if state.given.len() >= MAX_PAYERS {
            return false;
        }
        state.given.insert(self.payer, now_ms);
        true
    }

    /// The money was not given after all.
    pub(crate) fn not_given(&self) {
        self.all.lock().given.remove(&self.payer);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.all.lock().busy.remove(&self.payer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f03_a_payer_has_one_turn_at_a_time_and_is_given_money_once_an_hour() {
        let all = Arc::new(Approving::default());
        let payer = Address::repeat_byte(1);
        let turn = all.enter(payer).unwrap();
        assert!(all.enter(payer).is_none());
        assert!(all.enter(Address::repeat_byte(2)).is_some());
        assert!(turn.may_give(1_000) && !turn.may_give(1_000 + PAUSE_MS - 1));
        drop(turn);
        let turn = all.enter(payer).unwrap();
        assert!(!turn.may_give(2_000) && turn.may_give(1_000 + PAUSE_MS));
        turn.not_given();
        assert!(turn.may_give(1_001 + PAUSE_MS));
    }

    #[test]
    fn it_stays_bounded() {
        let all = Arc::new(Approving::default());
        let payer = |n: usize| Address::left_padding_from(&n.to_be_bytes());
        for n in 0..MAX_PAYERS {
            assert!(all.enter(payer(n)).unwrap().may_give(0));
        }
        let late = all.enter(payer(MAX_PAYERS)).unwrap();
        assert!(!late.may_give(PAUSE_MS - 1) && late.may_give(PAUSE_MS));
        assert_eq!(all.lock().given.len(), 1);
    }
}
