//! Reads outcomes: what a used nonce, a revert or a mined transaction means for a payment.

use alloy_primitives::U256;
use x402_model::wire::SettleResponse;

use crate::evm::chain::{BlockRef, CallError, CallRequest, ReceiptInfo};
use crate::evm::core::Core;
use crate::evm::evidence::Scope;
use crate::evm::exact::{Echo, Exact};
use crate::evm::facilitator::Repeat;
use crate::evm::reason::{self, Refusal, Stop};
use crate::evm::token::{self, Read, Wanted};
use crate::facilitator::{Evidence, SettleOutcome};
use crate::telemetry::event;

/// How a settlement ends, before it is put into words for the caller.
#[derive(Debug, Clone)]
pub(crate) enum Verdict {
    /// The money moved in this transaction, while this settlement was going on.
    Settled(String),
    /// The money had moved in this transaction before this settlement began, whoever sent it.
    SettledBefore(String),
    /// It did not, and nothing is in flight.
    Refused(Refusal, Option<String>),
    /// Nobody knows yet.
    Unknown(Option<String>, String),
}

impl From<Stop> for Verdict {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Refused(refusal) => Self::Refused(refusal, None),
            // Nothing was sent now, but an earlier attempt may be on its way: only evidence can tell.
            Stop::Chain(error) => Self::Unknown(None, error.to_string()),
        }
    }
}

impl Core {
    /// An authorization that is out of time can only be refused when no block can hold it any more.
    pub(crate) async fn expired(&self, exact: &Exact, refusal: Refusal) -> Verdict {
        let scope = Scope {
            depth: 1,
            ..Scope::default()
        };
        match self.look(Wanted::from(exact), scope).await {
            Evidence::Unused { chain_time }
                if exact.payload.authorization.valid_before <= U256::from(chain_time) =>
            {
                Verdict::Refused(refusal, None)
            }
            Evidence::Unused { .. } => Verdict::Unknown(None, "about to expire".to_owned()),
            evidence => Self::word(evidence),
        }
    }

    /// The transfer would revert: because somebody else was faster, or for a reason worth naming.
    pub(crate) async fn would_revert(
        &self,
        exact: &Exact,
        message: String,
    ) -> Result<Verdict, Stop> {
        if token::authorization_state(&*self.chain, exact.id(), BlockRef::Latest).await?
            == Read::Value(true)
        {
            return Ok(self.already_used(exact, 0).await);
        }
        if let Some(code) = reason::from_revert_text(&message) {
            return reason::refuse(code, message);
        }
        let text = message.to_ascii_lowercase();
        let too_hungry = text.contains("out of gas")
            || text.contains("outofgas")
            || text.contains("gas required exceeds");
        let otherwise = if too_hungry {
            reason::GAS_ABOVE_CAP
        } else {
            reason::TRANSACTION_FAILED
        };
        Err(self.diagnose(exact, otherwise, message).await)
    }

    /// What a used nonce means: paid by anybody, cancelled, or used for another transfer.
    pub(crate) async fn already_used(&self, exact: &Exact, at_least: u64) -> Verdict {
        let scope = Scope {
            depth: 1,
            at_least,
            ..Scope::default()
        };
        match self.look(Wanted::from(exact), scope).await {
            Evidence::Unused { .. } => {
                Verdict::Unknown(None, "nodes disagree on the nonce".to_owned())
            }
            evidence => Self::word(evidence),
        }
    }

    fn word(evidence: Evidence) -> Verdict {
        match evidence {
            Evidence::Paid { transaction, .. } => Verdict::SettledBefore(transaction),
            Evidence::Cancelled { .. } => refused(
                reason::NONCE_ALREADY_USED,
                "the payer cancelled the authorization",
            ),
            Evidence::Mismatch { .. } => refused(
                reason::NONCE_ALREADY_USED,
                "the nonce was used for another transfer",
            ),
            Evidence::Unused { .. } => Verdict::Unknown(None, "the nonce is unused".to_owned()),
            Evidence::Unavailable { reason } => Verdict::Unknown(None, reason),
        }
    }

    /// What our own mined transaction means.
    pub(crate) async fn judge(&self, exact: &Exact, receipt: &ReceiptInfo) -> Verdict {
        let hash = receipt.transaction.to_string();
        let wanted = Wanted::from(exact);
        if receipt.status && wanted.paid_in(&receipt.logs) {
            return Verdict::Settled(hash);
        }
        tracing::warn!(name: event::EVM_MISMATCH, transaction = %hash, status = receipt.status, "a settlement was mined without moving the money as agreed");
        let scope = Scope {
            depth: 1,
            at_least: receipt.block_number,
            ..Scope::default()
        };
        match self.look(wanted, scope).await {
            // Somebody else submitted the same authorization first, and the transfer is right.
            Evidence::Paid { transaction, .. } => Verdict::Settled(transaction),
            Evidence::Cancelled { .. } => Verdict::Refused(
                Refusal::new(reason::NONCE_ALREADY_USED, "cancelled before it was mined"),
                Some(hash),
            ),
            Evidence::Unavailable { reason } => Verdict::Unknown(Some(hash), reason),
            Evidence::Mismatch { .. } | Evidence::Unused { .. } if receipt.status => {
                Verdict::Refused(
                    Refusal::new(reason::TRANSFER_EVENT_MISMATCH, "no exact Transfer event"),
                    Some(hash),
                )
            }
            Evidence::Mismatch { .. } => Verdict::Refused(
                Refusal::new(reason::NONCE_ALREADY_USED, "used for another transfer"),
                Some(hash),
            ),
            Evidence::Unused { .. } => self.name_revert(exact, hash).await,
        }
    }

    /// The token's reason for a revert, found by running the transfer again.
    async fn name_revert(&self, exact: &Exact, hash: String) -> Verdict {
        let data = token::transfer_call(exact, exact.signature());
        let call = CallRequest {
            from: self.settler(),
            to: exact.asset,
            data,
            gas: Some(self.config.max_gas),
        };
        let code = match self.chain.call(call, BlockRef::Latest).await {
            Err(CallError::Revert { message, .. }) => reason::from_revert_text(&message),
            _ => None,
        };
        Verdict::Refused(
            Refusal::new(
                code.unwrap_or(reason::TRANSACTION_FAILED),
                "the transaction reverted",
            ),
            Some(hash),
        )
    }
}

fn refused(code: &'static str, message: &str) -> Verdict {
    Verdict::Refused(Refusal::new(code, message), None)
}

impl Verdict {
    /// The same verdict for a caller who joined the settlement.
    pub(crate) fn for_follower(self, repeat: Repeat) -> Self {
        match (self, repeat) {
            (Self::Settled(transaction), Repeat::Refused) => Self::SettledBefore(transaction),
            (verdict, _) => verdict,
        }
    }

    /// What a caller hears of a payment that was settled before.
    pub(crate) fn heard(self, repeat: Repeat) -> Self {
        match (self, repeat) {
            (Self::SettledBefore(transaction), Repeat::Success) => Self::Settled(transaction),
            (Self::SettledBefore(_), Repeat::Joined | Repeat::Refused) => {
                refused(reason::NONCE_ALREADY_USED, "settled before")
            }
            (verdict, _) => verdict,
        }
    }
}

impl Echo {
    /// Puts a verdict into the words of the protocol.
    pub(crate) fn outcome(&self, verdict: Verdict) -> SettleOutcome {
        let answer = SettleResponse {
            network: self.network.clone(),
            payer: self.payer.clone(),
            ..SettleResponse::default()
        };
        match verdict {
            Verdict::Settled(transaction) | Verdict::SettledBefore(transaction) => {
                SettleOutcome::Settled(SettleResponse {
                    success: true,
                    transaction,
                    ..answer
                })
            }
            Verdict::Refused(refusal, transaction) => SettleOutcome::Refused(SettleResponse {
                error_reason: Some(refusal.reason.to_owned()),
                error_message: Some(refusal.message),
                transaction: transaction.unwrap_or_default(),
                ..answer
            }),
            Verdict::Unknown(transaction, reason) => SettleOutcome::Unknown {
                transaction,
                reason,
            },
        }
    }
}
