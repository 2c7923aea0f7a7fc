//! The sandbox's time: another clock, moved.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::clock::Clock;

/// A clock that runs as its base does, moved by an offset that tests change.
pub(super) struct SandboxClock {
    base: Arc<dyn Clock>,
    offset_ms: AtomicI64,
}

impl SandboxClock {
    pub(super) fn new(base: Arc<dyn Clock>) -> Self {
        Self {
            base,
            offset_ms: AtomicI64::new(0),
        }
    }

    /// Makes it now `now_ms`; the clock runs on from there.
    pub(super) fn set_ms(&self, now_ms: u64) {
        let base = i64::try_from(self.base.now_ms()).unwrap_or(i64::MAX);
        let wanted = i64::try_from(now_ms).unwrap_or(i64::MAX);
        self.offset_ms
            .store(wanted.saturating_sub(base), Ordering::SeqCst);
    }

    /// Moves the time forwards.
    pub(super) fn advance_ms(&self, by_ms: u64) {
        self.offset_ms
            .fetch_add(i64::try_from(by_ms).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for SandboxClock {
    fn now_ms(&self) -> u64 {
        self.base
            .now_ms()
            .saturating_add_signed(self.offset_ms.load(Ordering::SeqCst))
    }
}

impl fmt::Debug for SandboxClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxClock")
            .field("now_ms", &self.now_ms())
            .finish_non_exhaustive()
    }
}
