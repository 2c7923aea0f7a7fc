//! What settlements cost within the last hour, so that nobody can drain a settling account faster than its owner allows.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::evm::gas::Fees;

/// The window, in steps.
const STEPS: u64 = 60;
/// One step, in milliseconds.
const STEP_MS: u64 = 60_000;
/// When to ask again while only transactions in flight stand in the way.
const IN_FLIGHT_PAUSE: Duration = Duration::from_secs(5);

/// The fees of the last hour and of what is in flight, in wei.
#[derive(Debug)]
pub(crate) struct FeeBudget {
    limit: Option<u128>,
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    /// Fees by step, oldest first; bounded by the steps of the window.
    spent: VecDeque<(u64, u128)>,
    /// What is in flight may cost this much.
    held: u128,
    /// The smallest amount that did not fit since the last one that did; zero when the last one fitted.
    refused: u128,
}

impl Books {
    fn forget(&mut self, now_ms: u64) {
        let now = now_ms / STEP_MS;
        while let Some((step, _)) = self.spent.front()
            && step.saturating_add(STEPS) <= now
        {
            self.spent.pop_front();
        }
    }

    fn used(&self) -> u128 {
        self.spent
            .iter()
            .fold(self.held, |sum, (_, wei)| sum.saturating_add(*wei))
    }

    fn book(&mut self, now_ms: u64, wei: u128) {
        let now = now_ms / STEP_MS;
        match self.spent.back_mut() {
            // A clock that was set back adds to the newest step, which keeps the order.
            Some((step, sum)) if *step >= now => *sum = sum.saturating_add(wei),
            _ => self.spent.push_back((now, wei)),
        }
    }
}

/// Room taken in the budget by one transaction. Dropping it leaves the room taken for an hour, because the transaction may
/// still be mined.
#[derive(Debug)]
pub(crate) struct Hold {
    budget: Arc<FeeBudget>,
    wei: u128,
    now_ms: u64,
    open: bool,
}

impl FeeBudget {
    pub(crate) fn new(limit: Option<u128>) -> Arc<Self> {
        Arc::new(Self {
            limit,
            books: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes room for the most that a transaction may cost, and for what it gives away; `None` when there is too little.
    pub(crate) fn take(
        self: &Arc<Self>,
        now_ms: u64,
        gas: u64,
        fees: Fees,
        given: u128,
    ) -> Option<Hold> {
        let wei = fees
            .max_fee
            .saturating_mul(u128::from(gas))
            .saturating_add(given);
        let mut books = self.lock();
        books.forget(now_ms);
        let room = self
            .limit
            .is_none_or(|limit| books.used().saturating_add(wei) <= limit);
        if !room {
            books.refused = if books.refused == 0 {
                wei
            } else {
                books.refused.min(wei)
            };
            return None;
        }
        books.refused = 0;
        books.held = books.held.saturating_add(wei);
        Some(Hold {
            budget: Arc::clone(self),
            wei,
            now_ms,
            open: true,
        })
    }

    /// When to try again, while the last transaction that was asked for would still not fit.
    pub(crate) fn pause(&self, now_ms: u64) -> Option<Duration> {
        let limit = self.limit?;
        let mut books = self.lock();
        books.forget(now_ms);
        if books.refused == 0 || books.used().saturating_add(books.refused) <= limit {
            return None;
        }
        let Some((oldest, _)) = books.spent.front() else {
            return Some(IN_FLIGHT_PAUSE);
        };
        let leaves_ms = oldest.saturating_add(STEPS).saturating_mul(STEP_MS);
        let pause = Duration::from_millis(leaves_ms.saturating_sub(now_ms));
        Some(pause.max(Duration::from_secs(1)))
    }
}

impl Hold {
    /// The transaction was mined and cost this much.
    pub(crate) fn spent(mut self, now_ms: u64, wei: u128) {
        self.now_ms = now_ms;
        self.close(wei);
    }

    /// The transaction can never be mined.
    pub(crate) fn release(mut self) {
        self.close(0);
    }

    fn close(&mut self, wei: u128) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        let mut books = self.budget.lock();
        books.held = books.held.saturating_sub(self.wei);
        if wei > 0 {
            books.book(self.now_ms, wei);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.close(self.wei);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;
    const NOW: u64 = 1_790_000_000_000;

    fn fees(max_fee: u128) -> Fees {
        Fees {
            max_fee,
            priority: 0,
        }
    }

    #[test]
    fn s08_an_hour_costs_no_more_than_its_budget() {
        let budget = FeeBudget::new(Some(1_000));
        budget.take(NOW, 10, fees(60), 0).unwrap().spent(NOW, 300);
        let second = budget.take(NOW, 10, fees(60), 0).unwrap();
        assert!(
            budget.take(NOW, 10, fees(11), 0).is_none(),
            "300 + 600 + 110"
        );
        assert_eq!(
            budget.pause(NOW + 1),
            Some(Duration::from_millis(
                (NOW / STEP_MS + STEPS) * STEP_MS - NOW - 1
            ))
        );
        second.spent(NOW, 200);
        assert!(
            budget.pause(NOW).is_none(),
            "it cost less than it might have"
        );
        assert!(budget.take(NOW, 10, fees(50), 0).is_some());
    }

    #[test]
    fn f03_money_that_is_given_away_counts_too() {
        let budget = FeeBudget::new(Some(1_000));
        assert!(budget.take(NOW, 10, fees(10), 901).is_none());
        assert!(budget.take(NOW, 10, fees(10), 900).is_some());
    }

    #[test]
    fn what_was_spent_is_forgotten_after_an_hour() {
        let budget = FeeBudget::new(Some(100));
        budget.take(NOW, 1, fees(100), 0).unwrap().spent(NOW, 100);
        assert!(
            budget
                .take(NOW + HOUR_MS - STEP_MS, 1, fees(1), 0)
                .is_none()
        );
        assert!(budget.take(NOW + HOUR_MS, 1, fees(1), 0).is_some());
    }

    #[test]
    fn a_transaction_without_an_end_stays_counted() {
        let budget = FeeBudget::new(Some(100));
        drop(budget.take(NOW, 1, fees(100), 0));
        assert!(budget.take(NOW, 1, fees(1), 0).is_none());
        budget.take(NOW, 1, fees(0), 0).unwrap().release();
    }

    #[test]
    fn what_never_was_sent_costs_nothing() {
        let budget = FeeBudget::new(Some(100));
        budget.take(NOW, 1, fees(100), 0).unwrap().release();
        assert!(budget.take(NOW, 1, fees(100), 0).is_some());
    }

    #[test]
    fn no_limit_refuses_nothing_and_stays_small() {
        let budget = FeeBudget::new(None);
        for minute in 0..1_000 {
            let now = NOW + minute * STEP_MS;
            let hold = budget.take(now, u64::MAX, fees(u128::MAX), 0).unwrap();
            hold.spent(now, u128::MAX);
        }
        assert!(budget.lock().spent.len() <= 61);
        assert!(budget.pause(NOW).is_none());
    }
}
