//! What is counted: free units up to a limit, and what a payer has paid.

use alloy_primitives::Address;
use x402_model::money::AtomicAmount;
use x402_model::network::Network;

/// Something that is counted up to a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Names the counter: who is counted, for what, and how long the window is, because counts of other windows must not meet.
    pub name: String,
    /// Length of a window; windows follow each other from 1970 on. `None` counts for ever.
    pub window_ms: Option<u64>,
    /// How many units a window has.
    pub limit: u64,
}

/// The answer to [`Accounts::take`](super::Accounts::take).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// There was one.
    Yes {
        /// How many are left now.
        left: u64,
        /// End of the window, unix milliseconds, if it ends.
        until_ms: Option<u64>,
    },
    /// None is left.
    Exhausted {
        /// When there are units again, unix milliseconds, if ever.
        resets_ms: Option<u64>,
    },
}

/// The state of a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ledger) struct Count {
    pub(in crate::ledger) used: u64,
    pub(in crate::ledger) until_ms: Option<u64>,
}

impl Count {
    /// Takes one unit: the new state if there was one, and the answer.
    pub(in crate::ledger) fn take(
        before: Option<Self>,
        counter: &Counter,
        now_ms: u64,
    ) -> (Option<Self>, Taken) {
        let until_ms = counter.window_ms.map(|window| {
            let window = window.max(1);
            (now_ms / window).saturating_add(1).saturating_mul(window)
        });
        // A window that has begun goes on, also for a clock that was set back.
        let begun = before.filter(|count| count.until_ms.is_none_or(|until| until > now_ms));
        let count = begun.unwrap_or(Self { used: 0, until_ms });
        if count.used >= counter.limit {
            let resets_ms = count.until_ms;
            return (None, Taken::Exhausted { resets_ms });
        }
        let used = count.used.saturating_add(1);
        let taken = Taken::Yes {
            left: counter.limit.saturating_sub(used),
            until_ms: count.until_ms,
        };
        (Some(Self { used, ..count }), taken)
    }

    /// Puts one unit back, if it was taken in this window.
    pub(in crate::ledger) fn give_back(self, until_ms: Option<u64>) -> Option<Self> {
        let used = self.used.checked_sub(1)?;
        (self.until_ms == until_ms).then_some(Self { used, ..self })
    }
}

/// What somebody has paid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// How many settled payments.
    pub calls: u64,
    /// How much, by token, ordered by network and token.
    pub spend: Vec<Spend>,
}

/// How much of one token was paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spend {
    /// The network.
    pub network: Network,
    /// The token.
    pub asset: Address,
    /// The sum in the token's smallest unit.
    pub amount: AtomicAmount,
}

impl Volume {
    /// Counts one more payment, if anything was charged for it. `None` when a sum would pass 256 bits.
    pub(in crate::ledger) fn add(
        &mut self,
        network: Network,
        asset: Address,
        amount: AtomicAmount,
    ) -> Option<()> {
        if amount.is_zero() {
            return Some(());
        }
        self.calls = self.calls.checked_add(1)?;
        let place = self
            .spend
            .binary_search_by(|spend| (&spend.network, spend.asset).cmp(&(&network, asset)));
        match place {
            Ok(at) => {
                let spend = self.spend.get_mut(at)?;
                spend.amount = spend.amount.checked_add(amount)?;
            }
            Err(at) => self.spend.insert(
                at,
                Spend {
                    network,
                    asset,
                    amount,
                },
            ),
        }
        Some(())
    }
}
