//! The use of an EIP-3009 nonce, found by the token's events.

use super::{Doubt, MAX_QUERIES, MIN_CHUNK, before, consistent, paid};
use crate::evm::abi::Eip3009Token::{AuthorizationCanceled, AuthorizationUsed};
use crate::evm::abi::is_event;
use crate::evm::chain::{BlockInfo, Chain, ChainError, LogFilter, LogInfo};
use crate::evm::core::Core;
use crate::evm::payment::PaymentId;
use crate::evm::token::Wanted;
use crate::facilitator::Evidence;

impl Core {
    /// Finds the transaction that used a nonce, newest blocks first.
    pub(super) async fn find_use(
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
            let receipt = consistent(chain, log).await?;
            if wanted.paid_in(&receipt.logs) {
                return Ok(Some(paid(log.transaction, log.block_number, latest)));
            }
            Ok(Some(Evidence::Mismatch {
                transaction: log.transaction.to_string(),
            }))
        }
    }
}
