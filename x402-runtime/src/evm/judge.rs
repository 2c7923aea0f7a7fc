//! Reads outcomes: what a used nonce, a revert or a mined transaction means for a payment.

use alloy_primitives::U256;
use x402_model::wire::SettleResponse;

use crate::evm::chain::{BlockRef, CallError, CallRequest, ChainError, ReceiptInfo};
use crate::evm::core::Core;
use crate::evm::evidence::Scope;
use crate::evm::facilitator::Repeat;
use crate::evm::payment::Payment;
use crate::evm::permit2;
use crate::evm::reason::{self, Refusal, Stop};
use crate::evm::request::Echo;
use crate::evm::token::{self, Read, Wanted};
use crate::evm::verify::Purpose;
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
    pub(crate) async fn expired(&self, payment: &Payment, refusal: Refusal) -> Verdict {
        let scope = Scope {
            depth: 1,
            ..Scope::default()
        };
        match self.look(Wanted::from(payment), scope).await {
            Evidence::Unused { chain_time } if payment.dead_at() <= U256::from(chain_time) => {
                Verdict::Refused(refusal, None)
            }
            Evidence::Unused { .. } => Verdict::Unknown(None, "about to expire".to_owned()),
            evidence => Self::word(payment, evidence),
        }
    }

    /// Whether the payment's nonce is used: by a transfer of whatever, or by its owner's word.
    pub(crate) async fn is_used(&self, payment: &Payment) -> Result<Read<bool>, ChainError> {
        let (chain, id) = (&*self.chain, payment.id());
        match payment {
            Payment::Eip3009(_) => token::authorization_state(chain, id, BlockRef::Latest).await,
            Payment::Permit2(_) => permit2::nonce_used(chain, id, BlockRef::Latest).await,
        }
    }

    /// The transfer would revert: because somebody else was faster, or for a reason worth naming.
    pub(crate) async fn would_revert(
        &self,
        payment: &Payment,
        message: String,
    ) -> Result<Verdict, Stop> {
        if self.is_used(payment).await? == Read::Value(true) {
            return Ok(self.already_used(payment, 0).await);
        }
        if let Some(code) = named_revert(payment, &message) {
            return reason::refuse(code, message);
        }
        let text = message.to_ascii_lowercase();
        let too_hungry = text.contains("out of gas")
            || text.contains("outofgas")
            || text.contains("gas required exceeds");
        let otherwise = if too_hungry {
            reason::GAS_ABOVE_CAP
        } else {
            payment.codes().transaction_failed
        };
        Err(self.diagnose(payment, otherwise, message).await)
    }

    /// What a used nonce means: paid by anybody, cancelled, or used for another transfer.
    pub(crate) async fn already_used(&self, payment: &Payment, at_least: u64) -> Verdict {
        let scope = Scope {
            depth: 1,
            at_least,
            ..Scope::default()
        };
        match self.look(Wanted::from(payment), scope).await {
            Evidence::Unused { .. } => {
                Verdict::Unknown(None, "nodes disagree on the nonce".to_owned())
            }
            evidence => Self::word(payment, evidence),
        }
    }

    fn word(payment: &Payment, evidence: Evidence) -> Verdict {
        let used = payment.codes().nonce_used;
        match evidence {
            Evidence::Paid { transaction, .. } => Verdict::SettledBefore(transaction),
            Evidence::Cancelled { .. } => refused(used, "the payer cancelled the authorization"),
            Evidence::Mismatch { .. } => refused(used, "the nonce was used for another transfer"),
            Evidence::Unused { .. } => Verdict::Unknown(None, "the nonce is unused".to_owned()),
            Evidence::Unavailable { reason } => Verdict::Unknown(None, reason),
        }
    }

    /// What our own mined transaction means.
    pub(crate) async fn judge(&self, payment: &Payment, receipt: &ReceiptInfo) -> Verdict {
        let hash = receipt.transaction.to_string();
        let wanted = Wanted::from(payment);
        // The transaction holds this one payment and nothing else, so a transfer in it is this payment's.
        let paid = match payment {
            Payment::Eip3009(_) => wanted.paid_in(&receipt.logs),
            Payment::Permit2(_) => wanted.is_moved_in(&receipt.logs),
        };
        if receipt.status && paid {
            return Verdict::Settled(hash);
        }
        tracing::warn!(name: event::EVM_MISMATCH, transaction = %hash, status = receipt.status, "a settlement was mined without moving the money as agreed");
        let scope = Scope {
            // With Permit2 the transaction itself shows what it did with the nonce.
            hint: Some(receipt.transaction),
            depth: 1,
            at_least: receipt.block_number,
            ..Scope::default()
        };
        match self.look(wanted, scope).await {
            // Somebody else submitted the same authorization first, and the transfer is right.
            Evidence::Paid { transaction, .. } => Verdict::Settled(transaction),
            Evidence::Cancelled { .. } => Verdict::Refused(
                Refusal::new(payment.codes().nonce_used, "cancelled before it was mined"),
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
                Refusal::new(payment.codes().nonce_used, "used for another transfer"),
                Some(hash),
            ),
            Evidence::Unused { .. } => self.name_revert(payment, hash).await,
        }
    }

    /// The reason for a revert, found by running the settlement again.
    async fn name_revert(&self, payment: &Payment, hash: String) -> Verdict {
        let code = match self.check(payment, Purpose::Settle).await {
            Ok(plan) => {
                let call = CallRequest {
                    from: payment.settler().unwrap_or_else(|| self.settler()),
                    to: plan.target,
                    data: plan.data,
                    gas: Some(self.config.max_gas),
                };
                match self.chain.call(call, BlockRef::Latest).await {
                    Err(CallError::Revert { message, .. }) => named_revert(payment, &message),
                    _ => None,
                }
            }
            // It has expired meanwhile, or its wallet has changed its mind.
            Err(Stop::Refused(refusal)) => Some(refusal.reason),
            Err(Stop::Chain(_)) => None,
        };
        Verdict::Refused(
            Refusal::new(
                code.unwrap_or(payment.codes().transaction_failed),
                "the transaction reverted",
            ),
            Some(hash),
        )
    }
}

/// The code that the words of a revert stand for.
fn named_revert(payment: &Payment, message: &str) -> Option<&'static str> {
    match payment {
        Payment::Eip3009(_) => reason::from_revert_text(message),
        Payment::Permit2(_) => reason::from_permit2_error(message),
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
                    amount: self.amount.clone(),
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
