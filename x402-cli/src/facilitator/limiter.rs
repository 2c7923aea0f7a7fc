//! Rates per key in bounded memory: each key may call in a burst and then at an even pace.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Keys remembered at once. Beyond it, keys that are not known yet share one allowance.
const MAX_KEYS: usize = 65_536;
/// Pause between looks for keys that can be forgotten.
const CLEAN_EVERY: Duration = Duration::from_secs(1);

/// A pace and a burst for every key.
#[derive(Debug)]
pub(super) struct Limiter<K> {
    /// Time that one call uses up.
    interval: Duration,
    /// How far a key may be ahead of its pace.
    slack: Duration,
    max_keys: usize,
    keys: Mutex<Keys<K>>,
}

#[derive(Debug)]
struct Keys<K> {
    /// When each key will have used up its calls; a key in the past has its whole burst again.
    until: HashMap<K, Instant>,
    /// The shared allowance of keys that do not fit.
    others: Option<Instant>,
    cleaned: Option<Instant>,
}

impl<K: Eq + Hash> Limiter<K> {
    /// `per_minute` calls a minute, of which `burst` may come at once.
    pub(super) fn new(per_minute: u32, burst: u32) -> Self {
        let interval = Duration::from_secs(60) / per_minute.max(1);
        Self {
            interval,
            slack: interval.saturating_mul(burst.max(1).saturating_sub(1)),
            max_keys: MAX_KEYS,
            keys: Mutex::new(Keys {
                until: HashMap::new(),
                others: None,
                cleaned: None,
            }),
        }
    }

    /// Takes one call of a key.
    ///
    /// # Errors
    /// The time to wait, when the key has none left.
    pub(super) fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = &mut *keys;
        if keys.until.len() >= self.max_keys && !keys.until.contains_key(&key) {
            let due = keys.cleaned.is_none_or(|last| now >= last + CLEAN_EVERY);
            if due {
                keys.cleaned = Some(now);
                keys.until.retain(|_, until| *until > now);
            }
            if keys.until.len() >= self.max_keys {
                return self.advance(keys.others.get_or_insert(now), now);
            }
        }
        self.advance(keys.until.entry(key).or_insert(now), now)
    }

    fn advance(&self, until: &mut Instant, now: Instant) -> Result<(), Duration> {
        let start = (*until).max(now);
        let ahead = start.saturating_duration_since(now);
        if ahead > self.slack {
            return Err(ahead.saturating_sub(self.slack));
        }
        *until = start.checked_add(self.interval).unwrap_or(start);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f03_a_burst_then_a_pace_and_each_key_for_itself() {
        let limiter = Limiter::new(60, 3);
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(limiter.take("a", start), Ok(()));
        }
        assert_eq!(limiter.take("a", start), Err(Duration::from_secs(1)));
        assert_eq!(limiter.take("b", start), Ok(()));
        assert_eq!(limiter.take("a", start + Duration::from_secs(1)), Ok(()));
        assert!(limiter.take("a", start + Duration::from_secs(1)).is_err());
        let later = start + Duration::from_secs(60);
        let taken = (0..10).filter(|_| limiter.take("a", later).is_ok()).count();
        assert_eq!(taken, 3, "a long pause gives the burst back, not more");
    }

    #[test]
    fn f03_a_flood_of_keys_shares_what_is_left_and_memory_stays_bounded() {
        let mut limiter = Limiter::new(60, 1);
        limiter.max_keys = 100;
        let start = Instant::now();
        let taken = (0..10_000)
            .filter(|key| limiter.take(*key, start).is_ok())
            .count();
        assert_eq!(taken, 101, "a hundred keys and one for all others");
        assert!(limiter.keys.lock().unwrap().until.len() <= 100);
        let later = start + Duration::from_secs(2);
        assert_eq!(limiter.take(5_000, later), Ok(()), "old keys are forgotten");
    }
}
