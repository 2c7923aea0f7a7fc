//! The use of a Permit2 nonce, found by the calls of the proxies.
//!
//! Permit2 says nothing when a nonce is used by a transfer, and the proxies do not say whose. So the transactions that moved
//! the token from the payer to the receiver are looked at: one that calls a proxy directly names the nonce it used. A
//! transfer inside of somebody's own contract names none; then the outcome stays open rather than being guessed, because a
//! payer could have one transfer stand for two nonces. That no such transaction is found is believed only long after the
//! payment's end, because nodes index logs late.

use alloy_primitives::B256;
use alloy_sol_types::{SolEvent, SolValue};
use x402_model::evm::permit2::PERMIT2;

use super::{Doubt, MAX_QUERIES, MIN_CHUNK, Use, before, consistent, paid, state};
use crate::evm::abi::Eip3009Token::Transfer;
use crate::evm::abi::Permit2Nonces::UnorderedNonceInvalidation;
use crate::evm::chain::{BlockInfo, Chain, ChainError, LogFilter, LogInfo, ReceiptInfo};
use crate::evm::core::Core;
use crate::evm::permit2::{Settlement, place};
use crate::evm::token::Wanted;
use crate::facilitator::Evidence;

/// Transactions that are looked at for one question.
const MAX_CANDIDATES: usize = 512;

/// How long after a payment's end the absence of its logs means something, in seconds.
const LOGS_LAG: u64 = 3_600;

/// What the blocks so far have shown.
#[derive(Default)]
struct Seen {
    /// The owner took the nonce back here, in this block; it may have been used before that.
    cancelled: Option<(B256, u64)>,
    /// A transfer of the right size that does not say which nonce it used.
    unreadable: bool,
    candidates: usize,
}

impl Core {
    /// Finds the transaction that used a nonce, newest blocks first.
    pub(super) async fn find_settlement(
        &self,
        chain: &dyn Chain,
        wanted: Wanted,
        since: u64,
        latest: BlockInfo,
    ) -> Result<Evidence, Doubt> {
        let oldest = latest.number.saturating_sub(self.config.log_lookback);
        let (mut to, mut chunk) = (latest.number, self.config.log_chunk.max(1));
        let mut seen = Seen::default();
        for _ in 0..MAX_QUERIES {
            let from = to.saturating_sub(chunk.saturating_sub(1)).max(oldest);
            let logs = match logs(chain, wanted, from, to).await {
                Err(ChainError::Refused { .. }) if chunk > MIN_CHUNK => {
                    chunk /= 2;
                    continue;
                }
                logs => logs?,
            };
            if let Some(found) = seen.judge(chain, wanted, logs, latest).await? {
                return Ok(found);
            }
            if from <= oldest || before(chain, from, since).await? {
                return seen.conclude(chain, wanted, from, latest).await;
            }
            to = from.saturating_sub(1);
        }
        Err(Doubt::Other(
            "the nonce is used, too long ago to look for it",
        ))
    }
}

/// Transfers from the payer to the receiver, and nonces that the payer took back.
struct Logs {
    transfers: Vec<LogInfo>,
    invalidations: Vec<LogInfo>,
}

async fn logs(chain: &dyn Chain, wanted: Wanted, from: u64, to: u64) -> Result<Logs, ChainError> {
    let payer = Some(wanted.id.payer.into_word());
    let filter = |address, topics| LogFilter {
        address,
        topics,
        from_block: from,
        to_block: to,
    };
    let receiver = Some(wanted.pay_to.into_word());
    let transfers = [Some(Transfer::SIGNATURE_HASH), payer, receiver, None];
    let invalidations = [
        Some(UnorderedNonceInvalidation::SIGNATURE_HASH),
        payer,
        None,
        None,
    ];
    Ok(Logs {
        transfers: chain.logs(filter(wanted.id.asset, transfers)).await?,
        invalidations: chain.logs(filter(PERMIT2, invalidations)).await?,
    })
}

impl Seen {
    /// What the logs of one block range say about the nonce; `None` when they do not settle it.
    async fn judge(
        &mut self,
        chain: &dyn Chain,
        wanted: Wanted,
        logs: Logs,
        latest: BlockInfo,
    ) -> Result<Option<Evidence>, Doubt> {
        // The oldest one counts: taking a nonce back twice changes nothing.
        let mut invalidations = logs.invalidations.iter();
        if let Some(log) = invalidations.find(|log| takes_back(log, wanted)) {
            self.cancelled = Some((log.transaction, log.block_number));
        }
        for log in logs.transfers.iter().rev() {
            self.candidates = self.candidates.saturating_add(1);
            if self.candidates > MAX_CANDIDATES {
                return Err(Doubt::Other("too many transfers to look through"));
            }
            let transaction = chain
                .transaction(log.transaction)
                .await?
                .ok_or(Doubt::Other("a log without a transaction"))?;
            let Some(settlement) = Settlement::of(&transaction) else {
                self.unreadable |= wanted.is_moved_in(std::slice::from_ref(log));
                continue;
            };
            if !settlement.uses(wanted.id) {
                continue;
            }
            let receipt = consistent(chain, log).await?;
            return Ok(Some(if moves(wanted, settlement, &receipt) {
                paid(log.transaction, log.block_number, latest)
            } else {
                Evidence::Mismatch {
                    transaction: log.transaction.to_string(),
                }
            }));
        }
        Ok(None)
    }

    /// What it means that no transfer used the nonce. Nothing, unless the chain's state agrees.
    async fn conclude(
        self,
        chain: &dyn Chain,
        wanted: Wanted,
        first: u64,
        latest: BlockInfo,
    ) -> Result<Evidence, Doubt> {
        if let Some((transaction, block)) = self.cancelled
            && !used_before(chain, wanted, block).await?
        {
            return Ok(Evidence::Cancelled {
                transaction: transaction.to_string(),
            });
        }
        if self.unreadable {
            return Err(Doubt::Other("a transfer does not say which nonce it used"));
        }
        if latest.timestamp < wanted.dead_at.saturating_add(LOGS_LAG) {
            return Err(Doubt::Other("the nonce is used, and no transfer says how"));
        }
        if used_before(chain, wanted, first).await? {
            return Err(Doubt::Other("the nonce was used before the search began"));
        }
        // It was used for something that moved nothing to the receiver, and that has no event to find it by.
        Ok(Evidence::Mismatch {
            transaction: String::new(),
        })
    }
}

/// Whether the nonce was used before a block.
async fn used_before(chain: &dyn Chain, wanted: Wanted, block: u64) -> Result<bool, Doubt> {
    match block.checked_sub(1) {
        Some(parent) => state(chain, wanted, parent).await,
        None => Ok(false),
    }
}

/// Whether the owner took exactly this nonce back.
fn takes_back(log: &LogInfo, wanted: Wanted) -> bool {
    let (word, bit) = place(wanted.id.nonce.into());
    let decoded = <(alloy_primitives::U256, alloy_primitives::U256)>::abi_decode(&log.data);
    decoded.is_ok_and(|(at, mask)| at == word && mask & bit == bit)
}

/// Whether a settlement is the one that was wanted, and the token says that it moved the money.
fn moves(wanted: Wanted, settlement: Settlement, receipt: &ReceiptInfo) -> bool {
    settlement.token == wanted.id.asset
        && settlement.to == wanted.pay_to
        && settlement.amount == wanted.amount
        && wanted.is_moved_in(&receipt.logs)
}

/// What a successful transaction did with the payment's nonce.
pub(super) async fn what_of(
    chain: &dyn Chain,
    wanted: Wanted,
    receipt: &ReceiptInfo,
) -> Result<Use, ChainError> {
    let transaction = chain.transaction(receipt.transaction).await?;
    Ok(match transaction.as_ref().and_then(Settlement::of) {
        Some(settlement) if !settlement.uses(wanted.id) => Use::None,
        Some(settlement) if moves(wanted, settlement, receipt) => Use::Pays,
        Some(_) => Use::Wastes,
        None => Use::None,
    })
}
