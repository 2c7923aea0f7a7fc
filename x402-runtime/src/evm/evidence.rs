//! Finds out what became of a payment, from what is on the chain only (security notes 3.6).
//!
//! That a nonce is used says nothing about where the money went: a cancelled one is used too. With EIP-3009 the token's own
//! events decide, with Permit2 the call of the proxy together with the token's event. Every doubt (a node behind another, a
//! chain that changed while it was read, an error) ends in "unavailable", never in "not paid".

mod eip3009;
mod permit2;

use alloy_primitives::B256;

use crate::evm::chain::{BlockInfo, BlockRef, Chain, ChainError, LogInfo, ReceiptInfo};
use crate::evm::core::Core;
use crate::evm::payment::{PaymentId, Rail};
use crate::evm::permit2 as bitmap;
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
    /// The contract that would keep the nonce is not there, or keeps none.
    NoRail,
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
            Doubt::NoRail => "nothing on the chain keeps such a nonce".to_owned(),
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
            rail: Rail::Either,
            pay_to: payment.pay_to,
            amount: payment.amount.get(),
            dead_at: payment.valid_before.saturating_add(1),
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
        let look = |rail| self.try_look(chain, Wanted { rail, ..wanted }, scope);
        let found = match wanted.rail {
            Rail::Either => match look(Rail::Eip3009).await {
                Ok(paid @ Evidence::Paid { .. }) => Ok(paid),
                first => either(first, look(Rail::Permit2).await),
            },
            rail => look(rail).await,
        };
        found.unwrap_or_else(Evidence::from)
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
        let mut misused = None;
        if let Some(hint) = scope.hint
            && let Some(receipt) = chain.receipt(hint).await?
            && receipt.status
        {
            match what_of(chain, wanted, &receipt).await? {
                Use::Pays => return Ok(paid(hint, receipt.block_number, latest)),
                Use::Wastes => misused = Some(hint.to_string()),
                Use::None => {}
            }
        }
        let safe = latest.number.saturating_sub(scope.depth.saturating_sub(1));
        let used_now = state(chain, wanted, latest.number).await?;
        let used_at_depth = if safe == latest.number {
            used_now
        } else {
            state(chain, wanted, safe).await?
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
            (true, deep) => {
                let found = match (misused, wanted.rail) {
                    (Some(transaction), _) => Ok(Evidence::Mismatch { transaction }),
                    (None, Rail::Permit2) => {
                        self.find_settlement(chain, wanted, scope.since, latest)
                            .await
                    }
                    (None, _) => self.find_use(chain, wanted, scope.since, latest).await,
                };
                match found? {
                    found @ (Evidence::Cancelled { .. } | Evidence::Mismatch { .. }) if deep => {
                        same_chain(chain, latest).await?;
                        Ok(found)
                    }
                    Evidence::Cancelled { .. } | Evidence::Mismatch { .. } => {
                        Err(Doubt::Other("not deep enough yet"))
                    }
                    found => Ok(found),
                }
            }
        }
    }
}

/// What a successful transaction did with a payment's nonce.
enum Use {
    /// It paid with it.
    Pays,
    /// It used it up without paying.
    Wastes,
    /// Nothing that can be seen.
    None,
}

async fn what_of(
    chain: &dyn Chain,
    wanted: Wanted,
    receipt: &ReceiptInfo,
) -> Result<Use, ChainError> {
    match wanted.rail {
        Rail::Permit2 => permit2::what_of(chain, wanted, receipt).await,
        _ if wanted.paid_in(&receipt.logs) => Ok(Use::Pays),
        _ => Ok(Use::None),
    }
}

/// What two rails say about a payment that is on one of them, nobody knows which. The one without the payment says
/// "unused", unless the payer has used the same nonce there too.
fn either(
    first: Result<Evidence, Doubt>,
    second: Result<Evidence, Doubt>,
) -> Result<Evidence, Doubt> {
    use Evidence::{Paid, Unused};
    match (first, second) {
        (Err(Doubt::NoRail), other) | (other, Err(Doubt::NoRail)) => other,
        (Ok(paid @ Paid { .. }), _) | (_, Ok(paid @ Paid { .. })) => Ok(paid),
        (Err(doubt), _) | (_, Err(doubt)) => Err(doubt),
        (Ok(Unused { chain_time: a }), Ok(Unused { chain_time: b })) => Ok(Unused {
            chain_time: a.min(b),
        }),
        (Ok(Unused { .. }), other) | (other, _) => other,
    }
}

async fn state(chain: &dyn Chain, wanted: Wanted, block: u64) -> Result<bool, Doubt> {
    let (id, at) = (wanted.id, BlockRef::Number(block));
    let read = match wanted.rail {
        Rail::Permit2 => bitmap::nonce_used(chain, id, at).await?,
        _ => token::authorization_state(chain, id, at).await?,
    };
    match read {
        Read::Value(used) => Ok(used),
        Read::Unsupported => Err(Doubt::NoRail),
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

/// The receipt of a log's transaction, if both tell the same story.
async fn consistent(chain: &dyn Chain, log: &LogInfo) -> Result<ReceiptInfo, Doubt> {
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
    Ok(receipt)
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
