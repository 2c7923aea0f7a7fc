//! Names that buyers give to purchases.

use std::fmt;

use alloy_primitives::Address;

use crate::ledger::{PaymentKey, Record, State};

/// A buyer's own name for a purchase.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The name. It is known per payer and endpoint, so that nobody meets somebody else's.
    pub name: String,
    /// Until when it is known, unix milliseconds. Must not be later than the payment's own record is kept.
    pub until_ms: u64,
}

impl Identity {
    /// Whether a purchase stays with its earlier payment: it is paid, or may be, or is being served. A payment that is
    /// certainly not charged (gone, failed, or refused with nothing in flight) leaves its name to the next one.
    #[must_use]
    pub fn keeps(earlier: &Record) -> bool {
        match earlier.state {
            State::Failed => false,
            State::Served => earlier.attempts == 0 || earlier.in_doubt,
            State::Reserved | State::Settling | State::Settled | State::Final | State::Unknown => {
                true
            }
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("until_ms", &self.until_ms)
            .finish_non_exhaustive()
    }
}

/// What a name is known by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::ledger) struct Named {
    pub(in crate::ledger) payer: Address,
    pub(in crate::ledger) endpoint: String,
    pub(in crate::ledger) name: String,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ledger) struct Purchase {
    pub(in crate::ledger) payment: PaymentKey,
    pub(in crate::ledger) until_ms: u64,
}
