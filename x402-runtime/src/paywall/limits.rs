//! The bounds within which a paywall works; every one has a default and a builder method.

use std::time::Duration;

use super::mistake::Mistake;

/// Seconds of validity the protocol wants left whatever else happens (protocol 3.1, check 7).
pub(crate) const PROTOCOL_MARGIN_SECONDS: u64 = 6;

/// Bounds on sizes, times and numbers.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Longest payment header in bytes.
    pub(crate) header_cap: usize,
    /// Longest request body of a paid request in bytes.
    pub(crate) body_cap: usize,
    /// Longest time to wait for that body.
    pub(crate) body_timeout: Duration,
    /// Longest answer of a handler in bytes.
    pub(crate) answer_cap: usize,
    /// Longest time a handler may take, its answer's body included.
    pub(crate) handler_timeout: Duration,
    /// Longest time for a facilitator's `verify`.
    pub(crate) verify_timeout: Duration,
    /// Longest time for one of the seller's hooks.
    pub(crate) hook_timeout: Duration,
    /// Longest time for a facilitator's `settle`, after which its outcome is unknown.
    pub(crate) settle_timeout: Duration,
    /// How long a buyer is kept waiting for the settlement before being told that it is pending.
    pub(crate) settle_wait: Duration,
    /// Validity a payment must have left, over the protocol's margin, so that there is time to settle it.
    pub(crate) settle_budget: Duration,
    /// How far buyers' clocks may be ahead, in seconds.
    pub(crate) clock_skew_seconds: u64,
    /// Payments in flight at the same time.
    pub(crate) max_in_flight: usize,
    /// Confirmations after which a settlement is final.
    pub(crate) confirmations: u64,
    /// How long closed payments are remembered.
    pub(crate) retention: Duration,
    /// Pause between two looks at unresolved payments.
    pub(crate) resolve_every: Duration,
    /// Longest time [`shutdown`](super::Paywall::shutdown) waits.
    pub(crate) drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_cap: x402_model::wire::headers::DEFAULT_CAP,
            body_cap: 2 * 1024 * 1024,
            body_timeout: Duration::from_secs(30),
            answer_cap: 8 * 1024 * 1024,
            handler_timeout: Duration::from_secs(60),
            verify_timeout: Duration::from_secs(10),
            hook_timeout: Duration::from_secs(2),
            settle_timeout: Duration::from_secs(30),
            settle_wait: Duration::from_secs(30),
            settle_budget: Duration::from_secs(4),
            clock_skew_seconds: 60,
            max_in_flight: 1024,
            confirmations: 12,
            retention: Duration::from_secs(7 * 24 * 60 * 60),
            resolve_every: Duration::from_secs(2),
            drain_timeout: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// Seconds of validity a payment must have left when it arrives.
    pub(crate) fn min_remaining_seconds(&self) -> u64 {
        PROTOCOL_MARGIN_SECONDS.saturating_add(self.settle_budget.as_secs())
    }

    /// What makes no sense.
    pub(crate) fn check(&self, mistakes: &mut Vec<Mistake>) {
        let zero = "it must be more than zero";
        let mut need = |holds: bool, limit: &'static str, reason: &'static str| {
            if !holds {
                mistakes.push(Mistake::Limit { limit, reason });
            }
        };
        need(
            self.header_cap >= 2048,
            "header_cap",
            "a payment alone takes about 1.5 KiB; allow at least 2048 bytes",
        );
        need(self.answer_cap > 0, "answer_cap", zero);
        need(!self.body_timeout.is_zero(), "body_timeout", zero);
        need(!self.handler_timeout.is_zero(), "handler_timeout", zero);
        need(!self.verify_timeout.is_zero(), "verify_timeout", zero);
        need(!self.hook_timeout.is_zero(), "hook_timeout", zero);
        need(!self.settle_timeout.is_zero(), "settle_timeout", zero);
        need(!self.resolve_every.is_zero(), "resolve_every", zero);
        need(self.max_in_flight > 0, "max_in_flight", zero);
        need(
            u32::try_from(self.max_in_flight).is_ok(),
            "max_in_flight",
            "it must fit into 32 bits",
        );
    }
}

/// A duration in whole milliseconds.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
