//! What a settlement may cost: EIP-1559 fees and gas limits under the configured caps.

use crate::evm::chain::{CallError, CallRequest, ChainError};
use crate::evm::core::Core;
use crate::evm::reason::{self, Refusal};

/// Fees of one transaction, in wei per gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fees {
    pub(crate) max_fee: u128,
    pub(crate) priority: u128,
}

/// What a network charges, in wei per gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quote {
    pub(crate) base: u128,
    pub(crate) tip: u128,
}

impl Fees {
    /// Chooses fees for a base fee and a tip: room for the base fee to double, but never above `cap`.
    ///
    /// `None` when the transaction could not even be mined now under the cap.
    pub(crate) fn choose(base: u128, tip: u128, cap: u128) -> Option<Self> {
        if base > cap {
            return None;
        }
        // A modest tip is cut before the cap refuses: it only orders transactions inside a block.
        let priority = tip.min(cap.saturating_sub(base));
        let max_fee = base.saturating_mul(2).saturating_add(priority).min(cap);
        Some(Self { max_fee, priority })
    }

    /// The least fees that nodes take for replacing a transaction with the same nonce: 12.5 percent more in both
    /// parts. `None` when that is above `cap`.
    pub(crate) fn bumped(self, cap: u128) -> Option<Self> {
        let more = |fee: u128| fee.saturating_add(fee.div_ceil(8)).saturating_add(1);
        let bumped = Self {
            max_fee: more(self.max_fee),
            priority: more(self.priority),
        };
        (bumped.max_fee <= cap).then_some(bumped)
    }

    /// The larger of both, part by part.
    pub(crate) fn at_least(self, other: Self) -> Self {
        Self {
            max_fee: self.max_fee.max(other.max_fee),
            priority: self.priority.max(other.priority),
        }
    }
}

impl Core {
    /// The highest fee per gas for a gas limit, under both caps.
    pub(crate) fn fee_cap(&self, gas: u64) -> u128 {
        let per_settlement = self
            .config
            .max_fee_per_settlement
            .checked_div(u128::from(gas))
            .unwrap_or(0);
        self.config.max_fee_per_gas.min(per_settlement)
    }

    /// What the network charges now.
    pub(crate) async fn quote(&self) -> Result<Quote, ChainError> {
        let (block, tip) = tokio::join!(self.chain.latest_block(), self.chain.priority_fee());
        let tip = match tip {
            // Not every node has the method.
            Err(ChainError::Refused { .. }) => self.config.default_priority_fee,
            tip => tip?,
        };
        Ok(Quote {
            base: block?.base_fee.unwrap_or(0),
            tip,
        })
    }

    /// Fees for a gas limit under the caps.
    pub(crate) fn fees(&self, quote: Quote, gas: u64) -> Result<Fees, Refusal> {
        let cap = self.fee_cap(gas);
        Fees::choose(quote.base, quote.tip, cap).ok_or_else(|| {
            let message = format!("base fee {} wei is above the cap of {cap} wei", quote.base);
            Refusal::new(reason::FEE_ABOVE_CAP, message)
        })
    }

    /// The gas limit for a call: the node's estimate and a quarter, under `cap`.
    ///
    /// # Errors
    /// [`CallError::Revert`] when the call would revert or needs more than `cap`.
    pub(crate) async fn gas_limit(&self, request: CallRequest, cap: u64) -> Result<u64, CallError> {
        let estimate = self
            .chain
            .estimate_gas(CallRequest {
                gas: Some(cap),
                ..request
            })
            .await?;
        if estimate > cap {
            // A node that ignores the limit it was given.
            return Err(CallError::Revert {
                data: Default::default(),
                message: format!("out of gas: needs {estimate}"),
            });
        }
        Ok(estimate.saturating_add(estimate / 4).min(cap))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GWEI: u128 = 1_000_000_000;

    #[test]
    fn fees_leave_room_and_stay_under_the_cap() {
        assert_eq!(
            Fees::choose(10, 3, 1_000),
            Some(Fees {
                max_fee: 23,
                priority: 3
            })
        );
        assert_eq!(
            Fees::choose(600, 3, 1_000),
            Some(Fees {
                max_fee: 1_000,
                priority: 3
            })
        );
        assert_eq!(
            Fees::choose(999, 30, 1_000),
            Some(Fees {
                max_fee: 1_000,
                priority: 1
            })
        );
        assert_eq!(Fees::choose(1_001, 0, 1_000), None);
        assert_eq!(
            Fees::choose(0, 0, 0),
            Some(Fees {
                max_fee: 0,
                priority: 0
            })
        );
        assert_eq!(
            Fees::choose(u128::MAX, u128::MAX, u128::MAX)
                .unwrap()
                .max_fee,
            u128::MAX
        );
    }

    #[test]
    fn a_bump_is_enough_to_replace_and_ends_at_the_cap() {
        let mut fees = Fees {
            max_fee: GWEI,
            priority: 1,
        };
        let mut bumps = 0;
        while let Some(next) = fees.bumped(20 * GWEI) {
            assert!(next.max_fee * 8 >= fees.max_fee * 9 && next.priority > fees.priority);
            fees = next;
            bumps += 1;
        }
        assert_eq!(bumps, 25);
    }
}
