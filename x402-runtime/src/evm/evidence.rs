//! Finds out what became of a payment, from events only (security notes 3.6).
//!
//! `authorizationState` says that a nonce is gone, not where the money went: a cancelled one is gone too. So the
//! token's own events decide. Every doubt (a node behind another, a chain that changed while it was read, an error)
//! ends in "unavailable", never in "not paid".

use alloy_primitives::B256;

use crate::evm::abi::Eip3009Token::{AuthorizationCanceled, AuthorizationUsed};
use crate::evm::abi::is_event;
use crate::evm::chain::{BlockInfo, BlockRef, Chain, ChainError, LogFilter, LogInfo};
use crate::evm::core::Core;
use crate::evm::exact::PaymentId;
use crate::evm::token::{self, Read, Wanted};
use crate::facilitator::{Evidence, PaymentRef};

/// How far the clocks of buyer, seller and chain may differ, in seconds.
const CLOCK_SKEW: u64 = 600;
/// Log queries made for one question.
const MAX_QUERIES: usize = 64;
/// The smallest block range that is worth asking for.
const MIN_CHUNK: u64 = 8;

/// Where to look.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Scope {
    /// A transaction that may be the one.
    pub(crate) hint: Option<B256>,
    /// How deep a "no" must be, the newest block counted as 1.
    pub(crate) depth: u64,
    /// The node must know at least this block.
    pub(crate) at_least: u64,
    /// Unix seconds before which nothing can have happened.
    pub(crate) since: u64,
}

/// What ends a look early.
enum Doubt {
    Chain(ChainError),
    Other(&'static str),
}

impl From<ChainError> for Doubt {
    fn from(error: ChainError) -> Self {
        Self::Chain(error)
    }
}

impl From<Doubt> for Evidence {
    fn from(doubt: Doubt) -> Self {
        let reason = match doubt {
            Doubt::Chain(error) => error.to_string(),
            Doubt::Other(why) => why.to_owned(),
        };
        Self::Unavailable { reason }
    }
}

impl Core {
    /// Answers the ledger's question about a payment.
    pub(crate) async fn evidence(&self, payment: &PaymentRef) -> Evidence {
        if payment.network != self.network {
            return Doubt::Other("another network").into();
        }
        let wanted = Wanted {
            id: PaymentId {
                asset: payment.asset,
                payer: payment.payer,
                nonce: payment.nonce,
            },
            pay_to: payment.pay_to,
            amount: payment.amount.get(),
        };
        let scope = Scope {
            hint: payment
                .transaction
                .as_deref()
                .and_then(|text| text.parse().ok()),
            depth: self.config.confirmations.max(1),
            at_least: 0,
            since: payment.since_ms / 1000,
        };
        self.look(wanted, scope).await
    }

    /// Looks at the chain, and at the second one if there is one; both must say the same.
    pub(crate) async fn look(&self, wanted: Wanted, scope: Scope) -> Evidence {
        let first = self.look_at(&*self.chain, wanted, scope).await;
        match &self.witness {
            None => first,
            Some(witness) => agree(first, self.look_at(&**witness, wanted, scope).await),
        }
    }

    async fn look_at(&self, chain: &dyn Chain, wanted: Wanted, scope: Scope) -> Evidence {
        self.try_look(chain, wanted, scope)
            .await
            .unwrap_or_else(Evidence::from)
    }

    async fn try_look(
        &self,
        chain: &dyn Chain,
        wanted: Wanted,
        scope: Scope,
    ) -> Result<Evidence, Doubt> {
        let latest = chain.latest_block().await?;
        if latest.number < scope.at_least {
            return Err(Doubt::Other("the node is behind"));
        }
        if let Some(hint) = scope.hint
            && let Some(receipt) = chain.receipt(hint).await?
            && receipt.status
            && wanted.paid_in(&receipt.logs)
        {
            return Ok(paid(hint, receipt.block_number, latest));
        }
        let safe = latest.number.saturating_sub(scope.depth.saturating_sub(1));
        let used_now = state(chain, wanted.id, latest.number).await?;
        let used_at_depth = if safe == latest.number {
            used_now
        } else {
            state(chain, wanted.id, safe).await?
        };
        match (used_now, used_at_depth) {
            (false, false) => {
                let block = chain
                    .block_by_number(safe)
                    .await?
                    .ok_or(Doubt::Other("a block is missing"))?;
                same_chain(chain, latest).await?;
                Ok(Evidence::Unused {
                    chain_time: block.timestamp,
                })
            }
            (false, true) => Err(Doubt::Other("the chain changed its mind")),
            (true, deep) => match self.find_use(chain, wanted, scope.since, latest).await? {
                found @ (Evidence::Cancelled { .. } | Evidence::Mismatch { .. }) if deep => {
                    same_chain(chain, latest).await?;
                    Ok(found)
                }
                Evidence::Cancelled { .. } | Evidence::Mismatch { .. } => {
                    Err(Doubt::Other("not deep enough yet"))
                }
                found => Ok(found),
            },
        }
    }

    /// Finds the transaction that used a nonce, newest blocks first.
    async fn find_use(
        &self,
        chain: &dyn Chain,
        wanted: Wanted,
        since: u64,
        latest: BlockInfo,
    ) -> Result<Evidence, Doubt> {
        let oldest = latest.number.saturating_sub(self.config.log_lookback);
        let (mut to, mut chunk) = (latest.number, self.config.log_chunk.max(1));
        for _ in 0..MAX_QUERIES {
            let from = to.saturating_sub(chunk.saturating_sub(1)).max(oldest);
            let logs = match chain.logs(filter(wanted.id, from, to)).await {
                Err(ChainError::Refused { .. }) if chunk > MIN_CHUNK => {
                    chunk /= 2;
                    continue;
                }
                logs => logs?,
            };
            if let Some(found) = judge(chain, wanted, &logs, latest).await? {
                return Ok(found);
            }
            if from <= oldest || before(chain, from, since).await? {
                break;
            }
            to = from.saturating_sub(1);
        }
        Err(Doubt::Other("the nonce is used, but no event says how"))
    }
}

/// Both ends of a log query name the payer and the nonce; the event's name is left open, so that one query finds
/// either outcome.
fn filter(id: PaymentId, from_block: u64, to_block: u64) -> LogFilter {
    let topics = [None, Some(id.payer.into_word()), Some(id.nonce), None];
    LogFilter {
        address: id.asset,
        topics,
        from_block,
        to_block,
    }
}

async fn state(chain: &dyn Chain, id: PaymentId, block: u64) -> Result<bool, Doubt> {
    match token::authorization_state(chain, id, BlockRef::Number(block)).await? {
        Read::Value(used) => Ok(used),
        Read::Unsupported => Err(Doubt::Other("the asset has no authorizationState")),
    }
}

/// Whether a block is older than anything that could matter.
async fn before(chain: &dyn Chain, number: u64, since: u64) -> Result<bool, Doubt> {
    let block = chain
        .block_by_number(number)
        .await?
        .ok_or(Doubt::Other("a block is missing"))?;
    Ok(block.timestamp.saturating_add(CLOCK_SKEW) < since)
}

/// Fails when the block that everything was read at is no longer the chain's.
async fn same_chain(chain: &dyn Chain, latest: BlockInfo) -> Result<(), Doubt> {
    match chain.block_by_number(latest.number).await? {
        Some(block) if block.hash == latest.hash => Ok(()),
        _ => Err(Doubt::Other("the chain changed while it was read")),
    }
}

const fn paid_depth(block: u64, latest: BlockInfo) -> u64 {
    latest.number.saturating_sub(block).saturating_add(1)
}

fn paid(transaction: B256, block: u64, latest: BlockInfo) -> Evidence {
    Evidence::Paid {
        transaction: transaction.to_string(),
        confirmations: paid_depth(block, latest),
    }
}

/// What the logs of one block range say about the nonce; `None` when they say nothing.
async fn judge(
    chain: &dyn Chain,
    wanted: Wanted,
    logs: &[LogInfo],
    latest: BlockInfo,
) -> Result<Option<Evidence>, Doubt> {
    let words = [wanted.id.payer.into_word(), wanted.id.nonce];
    let of_token = |log: &&LogInfo| log.address == wanted.id.asset;
    let used = logs
        .iter()
        .filter(of_token)
        .find(|log| is_event::<AuthorizationUsed>(log, &words));
    let cancelled = logs
        .iter()
        .filter(of_token)
        .find(|log| is_event::<AuthorizationCanceled>(log, &words));
    match (used, cancelled) {
        (Some(_), Some(_)) => Err(Doubt::Other("the nonce is both used and cancelled")),
        (None, None) => Ok(None),
        (None, Some(log)) => Ok(Some(Evidence::Cancelled {
            transaction: log.transaction.to_string(),
        })),
        (Some(log), None) => {
            let receipt = chain
                .receipt(log.transaction)
                .await?
                .ok_or(Doubt::Other("a log without a receipt"))?;
            if receipt.transaction != log.transaction
                || receipt.block_number != log.block_number
                || !receipt.status
            {
                return Err(Doubt::Other("log and receipt disagree"));
            }
            if wanted.paid_in(&receipt.logs) {
                return Ok(Some(paid(log.transaction, log.block_number, latest)));
            }
            Ok(Some(Evidence::Mismatch {
                transaction: log.transaction.to_string(),
            }))
        }
    }
}

/// The weaker of two answers that say the same; "unavailable" when they do not.
fn agree(first: Evidence, second: Evidence) -> Evidence {
    use Evidence::{Cancelled, Mismatch, Paid, Unavailable, Unused};
    match (first, second) {
        (
            Paid {
                transaction: a,
                confirmations: x,
            },
            Paid {
                transaction: b,
                confirmations: y,
            },
        ) if a == b => Paid {
            transaction: a,
            confirmations: x.min(y),
        },
        (Unused { chain_time: x }, Unused { chain_time: y }) => Unused {
            chain_time: x.min(y),
        },
        (first @ (Cancelled { .. } | Mismatch { .. }), second) if first == second => first,
        (first @ Unavailable { .. }, _) => first,
        (_, second @ Unavailable { .. }) => second,
        _ => Unavailable {
            reason: "two nodes disagree".to_owned(),
        },
    }
}
