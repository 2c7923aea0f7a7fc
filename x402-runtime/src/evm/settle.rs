//! Moves the money: one transaction per payment, however often and from wherever it is asked for.

use std::sync::Arc;

use alloy_primitives::B256;
use tokio::sync::{OwnedSemaphorePermit, watch as channel};
use tokio::time::{Instant, timeout_at};

use crate::evm::chain::{BlockRef, CallError, CallRequest};
use crate::evm::core::Core;
use crate::evm::exact::{Echo, Exact};
use crate::evm::facilitator::Repeat;
use crate::evm::inflight::{self, Lead, Part, Progress};
use crate::evm::judge::Verdict;
use crate::evm::nonce::{Account, Draft};
use crate::evm::reason::{self, Stop};
use crate::evm::token::{self, Read};
use crate::evm::verify::{Deploy, Plan};
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
        let echo = Echo::read(request, &self.network);
        let exact = match Exact::read(request, self.chain_id) {
            Ok(exact) => exact,
            Err(stop) => return echo.outcome(stop.into()),
        };
        let deadline = Instant::now() + self.config.settle_timeout;
        let fingerprint = exact.fingerprint();
        while Instant::now() < deadline {
            match self.in_flight.join(exact.id(), fingerprint) {
                Part::Lead(lead, progress) => {
                    let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
                        return unknown("too many settlements in flight");
                    };
                    // In a task of its own: a caller that goes away must not stop what is half done.
                    tokio::spawn(lead_settlement(Arc::clone(self), exact, lead, permit));
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
    async fn drive(&self, exact: &Exact, lead: &Lead) -> Verdict {
        let plan = match self.check(exact).await {
            Ok(plan) => plan,
            Err(Stop::Refused(refusal)) if refusal.reason == reason::VALID_BEFORE => {
                return self.expired(exact, refusal).await;
            }
            Err(stop) => return stop.into(),
        };
        let Some(account) = self.next_account() else {
            return Verdict::Unknown(None, "no settling account".to_owned());
        };
        for _ in 0..MAX_ROUNDS {
            match self.attempt(exact, &plan, &account, lead).await {
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

    /// One transaction from the check of the nonce to the receipt. `None` when another one took its place.
    async fn attempt(
        &self,
        exact: &Exact,
        plan: &Plan,
        account: &Account,
        lead: &Lead,
    ) -> Result<Option<Verdict>, Stop> {
        if let Some(deploy) = &plan.deploy {
            if let Some(verdict) = self.if_used(exact).await? {
                return Ok(Some(verdict));
            }
            self.deploy(exact, plan, deploy, account).await?;
        }
        let call = CallRequest {
            from: account.address(),
            to: exact.asset,
            data: plan.transfer.clone(),
            gas: None,
        };
        let (used, gas, quote) = tokio::join!(
            self.if_used(exact),
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
                return self.would_revert(exact, message).await.map(Some);
            }
        };
        let fees = self.fees(quote?, gas)?;
        let draft = Draft {
            to: exact.asset,
            data: plan.transfer.clone(),
            gas,
            fees,
        };
        let end = self.spend(account, draft, |hash| lead.sent(hash)).await?;
        Ok(match end {
            End::Mined(receipt) => Some(self.judge(exact, &receipt).await),
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
    async fn if_used(&self, exact: &Exact) -> Result<Option<Verdict>, Stop> {
        match token::authorization_state(&*self.chain, exact.id(), BlockRef::Latest).await? {
            Read::Value(false) => Ok(None),
            Read::Value(true) => Ok(Some(self.already_used(exact, 0).await)),
            Read::Unsupported => {
                reason::refuse(reason::EIP3009_NOT_SUPPORTED, "no authorizationState")
            }
        }
    }

    /// Deploys a payer's wallet (ERC-6492) if it still is not there. Its factory is on the list.
    async fn deploy(
        &self,
        exact: &Exact,
        plan: &Plan,
        deploy: &Deploy,
        account: &Account,
    ) -> Result<(), Stop> {
        let wallet = exact.payload.authorization.from;
        if !self.chain.code(wallet).await?.is_empty() {
            return Ok(());
        }
        // Paying for a wallet is only worth it if the transfer then goes through.
        self.simulate(exact, plan).await?;
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
    async fn spend(
        &self,
        account: &Account,
        draft: Draft,
        on_hash: impl Fn(B256) + Send,
    ) -> Result<End, Stop> {
        let Some(hold) = self.budget.take(self.clock.now_ms(), draft.gas, draft.fees) else {
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
                hold.spent(self.clock.now_ms(), fee);
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
async fn lead_settlement(core: Arc<Core>, exact: Exact, lead: Lead, permit: OwnedSemaphorePermit) {
    let verdict = core.drive(&exact, &lead).await;
    tracing::debug!(nonce = %exact.payload.authorization.nonce, ?verdict, "settlement ended");
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
