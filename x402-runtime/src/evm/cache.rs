//! Remembers which contracts are there, for a while and not too many.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use alloy_primitives::Address;

/// How long a yes is believed (protocol 3.1, step 10).
const KEEP_MS: u64 = 15 * 60 * 1000;
/// How many addresses are remembered.
const MAX_ENTRIES: usize = 4_096;

/// Addresses that had code when they were asked.
#[derive(Debug, Default)]
pub(crate) struct CodeCache {
    until: Mutex<HashMap<Address, u64>>,
}

impl CodeCache {
    /// Whether the address had code within the last 15 minutes.
    pub(crate) fn knows(&self, address: Address, now_ms: u64) -> bool {
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.get(&address).is_some_and(|until| now_ms < *until)
    }

    /// Remembers that the address has code.
    pub(crate) fn remember(&self, address: Address, now_ms: u64) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if until.len() >= MAX_ENTRIES {
            until.retain(|_, until| now_ms < *until);
        }
        // Still full of fresh ones: strangers name assets at random. Forgetting all costs a few questions.
        if until.len() >= MAX_ENTRIES {
            until.clear();
        }
        until.insert(address, now_ms.saturating_add(KEEP_MS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_after_fifteen_minutes_and_stays_bounded() {
        let cache = CodeCache::default();
        let first = Address::repeat_byte(1);
        cache.remember(first, 1_000);
        assert!(cache.knows(first, 1_000 + KEEP_MS - 1));
        assert!(!cache.knows(first, 1_000 + KEEP_MS));
        for n in 0..3 * MAX_ENTRIES {
            cache.remember(Address::left_padding_from(&n.to_be_bytes()), 1_000);
            assert!(cache.until.lock().unwrap().len() <= MAX_ENTRIES);
        }
    }
}
