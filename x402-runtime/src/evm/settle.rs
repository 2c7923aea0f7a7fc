//! Moves the money: one transaction per payment, however often and from wherever it is asked for.

use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use tokio::sync::{OwnedSemaphorePermit, watch as channel};
use tokio::time::{Instant, timeout_at};

use crate::evm::chain::{CallError, CallRequest};
use crate::evm::core::Core;
use crate::evm::facilitator::Repeat;
use crate::evm::inflight::{self, Lead, Part, Progress};
use crate::evm::judge::Verdict;
use crate::evm::nonce::{Account, Draft};
use crate::evm::payment::Payment;
use crate::evm::permitted::Permitted;
use crate::evm::reason::{self, Refusal, Stop};
use crate::evm::request::Echo;
use crate::evm::token::Read;
use crate::evm::verify::{Deploy, Plan, Purpose};
use crate::evm::watch::End;
use crate::facilitator::{FacilitatorRequest, SettleOutcome};

/// How often a payment is given a new transaction because its account nonce went to another one.
const MAX_ROUNDS: usize = 3;

impl Core {
    /// Settles a payment, or joins the settlement that is going on.
    pub(crate) async fn settle(
        self: &Arc<Self>,
        request: &FacilitatorRequest,
        repeat: Repeat,
    ) -> SettleOutcome {
        let mut echo = Echo::read(request, &self.network);
        let payment = match Payment::read(request, self.chain_id) {
            Ok(payment) => payment,
            Err(stop) => return echo.outcome(stop.into()),
        };
        echo.amount = payment.metered();
        let deadline = Instant::now() + self.config.settle_timeout;
        let fingerprint = payment.fingerprint();
        while Instant::now() < deadline {
            match self.in_flight.join(payment.lane(), fingerprint) {
                Part::Lead(lead, progress) => {
                    let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
                        return unknown("too many settlements in flight");
                    };
                    // In a task of its own: a caller that goes away must not stop what is half done.
                    tokio::spawn(lead_settlement(Arc::clone(self), payment, lead, permit));
                    let verdict = wait(progress, deadline).await;
                    return echo.outcome(verdict.heard(repeat));
                }
                Part::Follow(progress) => {
                    let verdict = wait(progress, deadline).await.for_follower(repeat);
                    return echo.outcome(verdict.heard(repeat));
                }
                Part::WaitForOther(progress) => {
                    if timeout_at(deadline, inflight::outcome(progress))
                        .await
                        .is_err()
                    {
                        break;
                    }
                }
            }
        }
        unknown("another request with the same payment is being settled")
    }

    /// The settlement itself.
    async fn drive(&self, payment: &Payment, lead: &Lead) -> Verdict {
        let plan = match self.check(payment, Purpose::Settle).await {
            Ok(plan) => plan,
            Err(Stop::Refused(refusal)) if refusal.reason == payment.codes().expired => {
                return self.expired(payment, refusal).await;
            }
            Err(stop) => return stop.into(),
        };
        if let Payment::Permit2(permitted) = payment
            && permitted.is_upto()
            && let Some(verdict) = self.judge_charge(payment, permitted).await
        {
            return verdict;
        }
        let account = match payment.settler() {
            Some(named) => self.account(named),
            None => self.next_account(),
        };
        let Some(account) = account else {
            return Verdict::Unknown(None, "no settling account".to_owned());
        };
        for _ in 0..MAX_ROUNDS {
            match self.attempt(payment, &plan, &account, lead).await {
                Ok(Some(verdict)) => return verdict,
                // The account's nonce went to another transaction; ours can no longer be mined.
                Ok(None) => {}
                Err(stop) => return stop.into(),
            }
        }
        Verdict::Unknown(
            None,
            "the account's nonces are taken by another sender".to_owned(),
        )
    }

    /// What a charge under `upto` decides by itself: nothing is sent for nothing, nor for more than was permitted.
    async fn judge_charge(&self, payment: &Payment, permitted: &Permitted) -> Option<Verdict> {
        if permitted.amount > permitted.authorization.permitted.amount {
            let refusal = Refusal::new(
                reason::UPTO_SETTLEMENT_EXCEEDS_AMOUNT,
                "charges more than was permitted",
            );
            return Some(Verdict::Refused(refusal, None));
        }
        if !permitted.amount.is_zero() {
            return None;
        }
        // A payment that was charged already cannot also have been free.
        let used = self
            .if_used(payment)
            .await
            .unwrap_or_else(|stop| Some(stop.into()));
        Some(used.unwrap_or_else(|| Verdict::Settled(String::new())))
    }

    /// One transaction from the check of the nonce to the receipt. `None` when another one took its place.
    async fn attempt(
        &self,
        payment: &Payment,
        plan: &Plan,
        account: &Account,
        lead: &Lead,
    ) -> Result<Option<Verdict>, Stop> {
        if plan.deploy.is_some() || plan.approval.is_some() {
            if let Some(verdict) = self.if_used(payment).await? {
                return Ok(Some(verdict));
            }
            self.prepare(payment, plan, account).await?;
        }
        let call = CallRequest {
            from: account.address(),
            to: plan.target,
            data: plan.data.clone(),
            gas: None,
        };
        let (used, gas, quote) = tokio::join!(
            self.if_used(payment),
            self.gas_limit(call, self.config.max_gas),
            self.quote(),
        );
        if let Some(verdict) = used? {
            return Ok(Some(verdict));
        }
        let gas = match gas {
            Ok(gas) => gas,
            Err(CallError::Chain(error)) => return Err(error.into()),
            Err(CallError::Revert { message, .. }) => {
                return self.would_revert(payment, message).await.map(Some);
            }
        };
        let fees = self.fees(quote?, gas)?;
        let draft = Draft {
            to: plan.target,
            value: U256::ZERO,
            data: plan.data.clone(),
            gas,
            fees,
        };
        let end = self.spend(account, draft, |hash| lead.sent(hash)).await?;
        Ok(match end {
            End::Mined(receipt) => Some(self.judge(payment, &receipt).await),
            End::Abandoned(hash) => Some(Verdict::Unknown(
                Some(hash.to_string()),
                "no receipt for the transaction".to_owned(),
            )),
            End::Displaced => None,
        })
    }

    /// What is to be said when the nonce is used already; `None` when it is not.
    ///
    /// Asked before anything is sent, because a replayed authorization burns gas.
    async fn if_used(&self, payment: &Payment) -> Result<Option<Verdict>, Stop> {
        match self.is_used(payment).await? {
            Read::Value(false) => Ok(None),
            Read::Value(true) => Ok(Some(self.already_used(payment, 0).await)),
            Read::Unsupported => match payment {
                Payment::Eip3009(_) => {
                    reason::refuse(reason::EIP3009_NOT_SUPPORTED, "no authorizationState")
                }
                Payment::Permit2(_) => reason::refuse(
                    reason::PERMIT2_PROXY_NOT_DEPLOYED,
                    "no Permit2 on this chain",
                ),
            },
        }
    }

    /// Does what must be on the chain before the payment: the payer's wallet, the payer's approval.
    async fn prepare(&self, payment: &Payment, plan: &Plan, account: &Account) -> Result<(), Stop> {
        // Neither is worth its price unless the transfer then goes through.
        self.simulate(payment, plan).await?;
        if let Some(deploy) = &plan.deploy {
            self.deploy(payment.id().payer, deploy, account).await?;
        }
        match (&plan.approval, payment) {
            (Some(approval), Payment::Permit2(permitted)) => {
                self.approve(permitted, approval, account).await
            }
            _ => Ok(()),
        }
    }

    /// Deploys a payer's wallet (ERC-6492) if it still is not there. Its factory is on the list.
    async fn deploy(
        &self,
        wallet: Address,
        deploy: &Deploy,
        account: &Account,
    ) -> Result<(), Stop> {
        if !self.chain.code(wallet).await?.is_empty() {
            return Ok(());
        }
        let call = CallRequest {
            from: account.address(),
            to: deploy.factory,
            data: deploy.calldata.clone(),
            gas: None,
        };
        let gas = match self.gas_limit(call, self.config.max_deploy_gas).await {
            Ok(gas) => gas,
            Err(CallError::Chain(error)) => return Err(error.into()),
            Err(CallError::Revert { message, .. }) => {
                return reason::refuse(reason::WALLET_DEPLOYMENT_FAILED, message);
            }
        };
        let fees = self.fees(self.quote().await?, gas)?;
        let draft = Draft {
            to: deploy.factory,
            value: U256::ZERO,
            data: deploy.calldata.clone(),
            gas,
            fees,
        };
        let end = self.spend(account, draft, |_| ()).await?;
        if self.chain.code(wallet).await?.is_empty() {
            return reason::refuse(
                reason::WALLET_DEPLOYMENT_FAILED,
                format!("no code at the wallet after {end}"),
            );
        }
        Ok(())
    }

    /// Sends a transaction and watches it to its end, within the fees of an hour.
    pub(crate) async fn spend(
        &self,
        account: &Account,
        draft: Draft,
        on_hash: impl Fn(B256) + Send,
    ) -> Result<End, Stop> {
        let given: u128 = draft.value.saturating_to();
        let Some(hold) = self
            .budget
            .take(self.clock.now_ms(), draft.gas, draft.fees, given)
        else {
            return reason::refuse(reason::FEE_BUDGET_SPENT, "the hour's fees are spent");
        };
        let sent = match account.send(&draft).await {
            Ok(sent) => sent,
            Err(stop) => {
                hold.release();
                return Err(stop);
            }
        };
        crate::failpoint::failpoint("c5_sent");
        on_hash(sent.hash);
        let end = self.watch(account, draft, &sent, on_hash).await;
        match &end {
            End::Mined(receipt) => {
                let fee = receipt
                    .effective_gas_price
                    .saturating_mul(u128::from(receipt.gas_used));
                let given = if receipt.status { given } else { 0 };
                hold.spent(self.clock.now_ms(), fee.saturating_add(given));
            }
            End::Displaced => hold.release(),
            // It may still be mined: what it may cost stays counted.
            End::Abandoned(_) => drop(hold),
        }
        Ok(end)
    }
}

fn unknown(reason: &str) -> SettleOutcome {
    SettleOutcome::Unknown {
        transaction: None,
        reason: reason.to_owned(),
    }
}

/// The task behind one settlement. It outlives its callers' patience, and keeps its permit until the end is known.
async fn lead_settlement(
    core: Arc<Core>,
    payment: Payment,
    lead: Lead,
    permit: OwnedSemaphorePermit,
) {
    let verdict = core.drive(&payment, &lead).await;
    tracing::debug!(nonce = %payment.id().nonce, ?verdict, "settlement ended");
    lead.done(verdict);
    drop(permit);
}

async fn wait(progress: channel::Receiver<Progress>, deadline: Instant) -> Verdict {
    let hash = progress.clone();
    match timeout_at(deadline, inflight::outcome(progress)).await {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(last)) => Verdict::Unknown(
            last.map(|hash| hash.to_string()),
            "the settlement's task ended without an outcome".to_owned(),
        ),
        Err(_) => Verdict::Unknown(
            inflight::last_hash(&hash).map(|hash| hash.to_string()),
            "no receipt in time".to_owned(),
        ),
    }
}
