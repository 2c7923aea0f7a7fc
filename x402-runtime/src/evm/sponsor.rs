//! Brings a payer's own approval of Permit2 onto the chain (`erc20ApprovalGasSponsoring`).
//!
//! The transaction was checked before: it calls `approve` of the payment's token for Permit2, carries no value, and the
//! payer has signed it. Nothing else that a stranger signed is ever sent.

use alloy_primitives::{B256, Bytes, U256};
use tokio::time::{Instant, sleep};
use x402_model::evm::SignedCall;

use crate::evm::approving::Turn;
use crate::evm::chain::{BlockRef, ChainError, SendError};
use crate::evm::core::Core;
use crate::evm::nonce::{Account, Draft};
use crate::evm::permitted::Permitted;
use crate::evm::reason::{self, Stop, refuse};
use crate::evm::watch::End;

/// Gas of a plain transfer of native money to an account without code.
const TRANSFER_GAS: u64 = 21_000;

impl Core {
    /// Sends the approval and waits until Permit2 may move the amount.
    pub(crate) async fn approve(
        &self,
        permitted: &Permitted,
        approval: &SignedCall,
        account: &Account,
    ) -> Result<(), Stop> {
        let payer = permitted.authorization.from;
        let Some(turn) = self.take_turn(permitted).await? else {
            return Ok(());
        };
        let next = self
            .chain
            .transaction_count(payer, BlockRef::Latest)
            .await?;
        let nonce = approval.transaction.nonce;
        if nonce != next {
            // Somebody may have sent it meanwhile: then its work is done.
            return if self.is_approved(permitted).await? {
                Ok(())
            } else {
                refuse(
                    reason::ERC20_APPROVAL_TX_FAILED,
                    format!("the approval has nonce {nonce}, the payer is at {next}"),
                )
            };
        }
        self.fund(&turn, permitted, approval, account).await?;
        let raw: Bytes = approval.encode().into();
        match self.chain.send_raw(&raw).await {
            Ok(_)
            | Err(SendError::AlreadyKnown | SendError::NonceTooLow | SendError::Unsure(_)) => {}
            Err(error) => {
                return refuse(reason::ERC20_APPROVAL_BROADCAST_FAILED, error.to_string());
            }
        }
        self.await_approval(permitted, approval.hash()).await
    }

    /// Waits until no other payment of the payer is about its approval. `None` when there is nothing left to do then.
    async fn take_turn(&self, permitted: &Permitted) -> Result<Option<Turn>, Stop> {
        let deadline = Instant::now() + self.config.settle_timeout;
        loop {
            if let Some(turn) = self.approving.enter(permitted.authorization.from) {
                return Ok(Some(turn));
            }
            if self.is_approved(permitted).await? {
                return Ok(None);
            }
            if Instant::now() >= deadline {
                return Err(ChainError::Timeout.into());
            }
            sleep(self.config.poll_interval).await;
        }
    }

    /// Gives the payer what its approval may cost and it does not have, within the configured limit.
    async fn fund(
        &self,
        turn: &Turn,
        permitted: &Permitted,
        approval: &SignedCall,
        account: &Account,
    ) -> Result<(), Stop> {
        let payer = permitted.authorization.from;
        let transaction = &approval.transaction;
        let quote = self.quote().await?;
        if transaction.max_fee_per_gas < quote.base {
            return refuse(
                reason::ERC20_APPROVAL_BROADCAST_FAILED,
                "the approval pays less than the network charges",
            );
        }
        let cost = U256::from(transaction.gas_limit)
            .saturating_mul(U256::from(transaction.max_fee_per_gas));
        let missing = cost.saturating_sub(self.chain.balance(payer).await?);
        if missing.is_zero() {
            return Ok(());
        }
        if missing > U256::from(self.config.approval_funding) {
            return refuse(
                reason::ERC20_APPROVAL_BROADCAST_FAILED,
                "the payer cannot pay for its approval, and lacks more than is given",
            );
        }
        let fees = self.fees(quote, TRANSFER_GAS)?;
        if !self.chain.code(payer).await?.is_empty() {
            return refuse(
                reason::ERC20_APPROVAL_BROADCAST_FAILED,
                "the payer has code that could refuse the money",
            );
        }
        if !turn.may_give(self.clock.now_ms()) {
            return refuse(
                reason::ERC20_APPROVAL_BROADCAST_FAILED,
                "the payer was given money for an approval lately",
            );
        }
        let draft = Draft {
            to: payer,
            value: missing,
            data: Bytes::new(),
            gas: TRANSFER_GAS,
            fees,
        };
        let end = self.spend(account, draft, |_| ()).await;
        if matches!(end, Err(_) | Ok(End::Displaced)) {
            turn.not_given();
        }
        match end? {
            End::Mined(receipt) if receipt.status => Ok(()),
            // Nothing of the payment is on its way, and the same one may come again.
            End::Displaced | End::Abandoned(_) => Err(ChainError::Timeout.into()),
            end @ End::Mined(_) => refuse(
                reason::ERC20_APPROVAL_BROADCAST_FAILED,
                format!("the payer could not be given money: {end}"),
            ),
        }
    }

    /// Waits for the approval's receipt. Without one nothing is known, and the same payment may come again.
    async fn await_approval(&self, permitted: &Permitted, hash: B256) -> Result<(), Stop> {
        let deadline = Instant::now() + self.config.settle_timeout;
        loop {
            match self.chain.receipt(hash).await? {
                Some(receipt) if receipt.status => return Ok(()),
                Some(_) => {
                    return refuse(reason::ERC20_APPROVAL_TX_FAILED, "the approval reverted");
                }
                None if self.is_approved(permitted).await? => return Ok(()),
                None if Instant::now() >= deadline => return Err(ChainError::Timeout.into()),
                None => sleep(self.config.poll_interval).await,
            }
        }
    }
}
