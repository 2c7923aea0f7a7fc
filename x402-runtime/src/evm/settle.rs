//! Moves the money: one transaction per payment, however often and from wherever it is asked for.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, watch as channel};
use tokio::time::{Instant, timeout_at};
use x402_model::wire::SettleResponse;

use crate::evm::chain::{BlockRef, CallError, CallRequest};
use crate::evm::core::Core;
use crate::evm::evidence::Scope;
use crate::evm::exact::{Echo, Exact};
use crate::evm::inflight::{self, Lead, Part, Progress};
use crate::evm::nonce::{Account, Draft};
use crate::evm::reason::{self, Refusal, Stop};
use crate::evm::token::{self, Read, Wanted};
use crate::evm::verify::{Deploy, Plan};
use crate::evm::watch::End;
use crate::facilitator::{Evidence, FacilitatorRequest, SettleOutcome};

/// How often a payment is given a new transaction because its account nonce went to another one.
const MAX_ROUNDS: usize = 3;

/// How a settlement ends, before it is put into words for the caller.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The money moved in this transaction, whoever sent it.
    Settled(String),
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
    /// Settles a payment, or joins the settlement that is going on.
    pub(crate) async fn settle(self: &Arc<Self>, request: &FacilitatorRequest) -> SettleOutcome {
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
                    tokio::spawn(lead_settlement(Arc::clone(self), exact, echo, lead, permit));
                    return wait(progress, deadline).await;
                }
                Part::Follow(progress) => return self.follow(&echo, wait(progress, deadline).await),
                Part::WaitForOther(progress) => {
                    if timeout_at(deadline, inflight::outcome(progress)).await.is_err() {
                        break;
                    }
                }
            }
        }
        unknown("another request with the same payment is being settled")
    }

    /// What a caller hears whose request was settled by a concurrent one.
    fn follow(&self, echo: &Echo, outcome: SettleOutcome) -> SettleOutcome {
        match outcome {
            SettleOutcome::Settled(_) if !self.config.repeat_is_success => echo.outcome(repeated()),
            outcome => outcome,
        }
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
        Verdict::Unknown(None, "the account's nonces are taken by another sender".to_owned())
    }

    /// One transaction from the check of the nonce to the receipt. `None` when another one took its place.
    async fn attempt(&self, exact: &Exact, plan: &Plan, account: &Account, lead: &Lead) -> Result<Option<Verdict>, Stop> {
        match token::authorization_state(&*self.chain, exact.id(), BlockRef::Latest).await? {
            Read::Value(false) => {}
            Read::Value(true) => return Ok(Some(self.already_used(exact, 0).await)),
            Read::Unsupported => return reason::refuse(reason::EIP3009_NOT_SUPPORTED, "no authorizationState"),
        }
        if let Some(deploy) = &plan.deploy {
            self.deploy(exact, plan, deploy, account).await?;
        }
        let call = CallRequest { from: account.address(), to: exact.asset, data: plan.transfer.clone(), gas: None };
        let gas = match self.gas_limit(call, self.config.max_gas).await {
            Ok(gas) => gas,
            Err(CallError::Chain(error)) => return Err(error.into()),
            Err(CallError::Revert { message, .. }) => return self.would_revert(exact, message).await.map(Some),
        };
        let fees = self.market_fees(gas).await?;
        let draft = Draft { to: exact.asset, data: plan.transfer.clone(), gas, fees };
        let sent = account.send(&draft).await?;
        crate::failpoint::failpoint("c5_sent");
        lead.sent(sent.hash);
        Ok(match self.watch(account, draft, &sent, |hash| lead.sent(hash)).await {
            End::Mined(receipt) => Some(self.judge(exact, &receipt).await),
            End::Abandoned(hash) => {
                Some(Verdict::Unknown(Some(hash.to_string()), "no receipt for the transaction".to_owned()))
            }
            End::Displaced => None,
        })
    }

    /// Deploys a payer's wallet (ERC-6492) if it still is not there. Its factory is on the list.
    async fn deploy(&self, exact: &Exact, plan: &Plan, deploy: &Deploy, account: &Account) -> Result<(), Stop> {
        let wallet = exact.payload.authorization.from;
        if !self.chain.code(wallet).await?.is_empty() {
            return Ok(());
        }
        // Paying for a wallet is only worth it if the transfer then goes through.
        self.simulate(exact, plan).await?;
        let call = CallRequest { from: account.address(), to: deploy.factory, data: deploy.calldata.clone(), gas: None };
        let gas = match self.gas_limit(call, self.config.max_deploy_gas).await {
            Ok(gas) => gas,
            Err(CallError::Chain(error)) => return Err(error.into()),
            Err(CallError::Revert { message, .. }) => return reason::refuse(reason::WALLET_DEPLOYMENT_FAILED, message),
        };
        let fees = self.market_fees(gas).await?;
        let draft = Draft { to: deploy.factory, data: deploy.calldata.clone(), gas, fees };
        let sent = account.send(&draft).await?;
        let end = self.watch(account, draft, &sent, |_| ()).await;
        if self.chain.code(wallet).await?.is_empty() {
            return reason::refuse(reason::WALLET_DEPLOYMENT_FAILED, format!("no code at the wallet after {end}"));
        }
        Ok(())
    }

    /// An authorization that is out of time can only be refused when no block can hold it any more.
    async fn expired(&self, exact: &Exact, refusal: Refusal) -> Verdict {
        let scope = Scope { depth: 1, ..Scope::default() };
        match self.look(Wanted::from(exact), scope).await {
            Evidence::Unused { chain_time } if exact.payload.authorization.valid_before <= chain_time_of(chain_time) => {
                Verdict::Refused(refusal, None)
            }
            Evidence::Unused { .. } => Verdict::Unknown(None, "about to expire".to_owned()),
            evidence => self.word(evidence),
        }
    }

    /// The transfer would revert: because somebody else was faster, or for a reason worth naming.
    async fn would_revert(&self, exact: &Exact, message: String) -> Result<Verdict, Stop> {
        if token::authorization_state(&*self.chain, exact.id(), BlockRef::Latest).await? == Read::Value(true) {
            return Ok(self.already_used(exact, 0).await);
        }
        if let Some(code) = reason::from_revert_text(&message) {
            return reason::refuse(code, message);
        }
        let text = message.to_ascii_lowercase();
        let too_hungry = text.contains("out of gas") || text.contains("outofgas") || text.contains("gas required exceeds");
        let otherwise = if too_hungry { reason::GAS_ABOVE_CAP } else { reason::TRANSACTION_FAILED };
        Err(self.diagnose(exact, otherwise, message).await)
    }

    /// What a used nonce means: paid by anybody, cancelled, or used for another transfer.
    async fn already_used(&self, exact: &Exact, at_least: u64) -> Verdict {
        let scope = Scope { depth: 1, at_least, ..Scope::default() };
        match self.look(Wanted::from(exact), scope).await {
            Evidence::Unused { .. } => Verdict::Unknown(None, "nodes disagree on the nonce".to_owned()),
            evidence => self.word(evidence),
        }
    }

    fn word(&self, evidence: Evidence) -> Verdict {
        match evidence {
            Evidence::Paid { transaction, .. } if self.config.repeat_is_success => Verdict::Settled(transaction),
            Evidence::Paid { .. } => repeated(),
            Evidence::Cancelled { .. } => refused(reason::NONCE_ALREADY_USED, "the payer cancelled the authorization"),
            Evidence::Mismatch { .. } => refused(reason::NONCE_ALREADY_USED, "the nonce was used for another transfer"),
            Evidence::Unused { .. } => Verdict::Unknown(None, "the nonce is unused".to_owned()),
            Evidence::Unavailable { reason } => Verdict::Unknown(None, reason),
        }
    }

    /// What our own mined transaction means.
    async fn judge(&self, exact: &Exact, receipt: &crate::evm::chain::ReceiptInfo) -> Verdict {
        let hash = receipt.transaction.to_string();
        let wanted = Wanted::from(exact);
        if receipt.status && wanted.paid_in(&receipt.logs) {
            return Verdict::Settled(hash);
        }
        tracing::warn!(transaction = %hash, status = receipt.status, "a settlement was mined without moving the money as agreed");
        let scope = Scope { depth: 1, at_least: receipt.block_number, ..Scope::default() };
        match self.look(wanted, scope).await {
            // Somebody else submitted the same authorization first, and the transfer is right.
            Evidence::Paid { transaction, .. } => Verdict::Settled(transaction),
            Evidence::Cancelled { .. } => {
                Verdict::Refused(Refusal::new(reason::NONCE_ALREADY_USED, "cancelled before it was mined"), Some(hash))
            }
            Evidence::Unavailable { reason } => Verdict::Unknown(Some(hash), reason),
            Evidence::Mismatch { .. } | Evidence::Unused { .. } if receipt.status => {
                Verdict::Refused(Refusal::new(reason::TRANSFER_EVENT_MISMATCH, "no exact Transfer event"), Some(hash))
            }
            Evidence::Mismatch { .. } => {
                Verdict::Refused(Refusal::new(reason::NONCE_ALREADY_USED, "used for another transfer"), Some(hash))
            }
            Evidence::Unused { .. } => self.name_revert(exact, hash).await,
        }
    }

    /// The token's reason for a revert, found by running the transfer again.
    async fn name_revert(&self, exact: &Exact, hash: String) -> Verdict {
        let data = token::transfer_call(exact, exact.signature());
        let call = CallRequest { from: self.settler(), to: exact.asset, data, gas: Some(self.config.max_gas) };
        let code = match self.chain.call(call, BlockRef::Latest).await {
            Err(CallError::Revert { message, .. }) => reason::from_revert_text(&message),
            _ => None,
        };
        Verdict::Refused(Refusal::new(code.unwrap_or(reason::TRANSACTION_FAILED), "the transaction reverted"), Some(hash))
    }
}

fn chain_time_of(seconds: u64) -> alloy_primitives::U256 {
    alloy_primitives::U256::from(seconds)
}

fn refused(code: &'static str, message: &str) -> Verdict {
    Verdict::Refused(Refusal::new(code, message), None)
}

fn repeated() -> Verdict {
    refused(reason::NONCE_ALREADY_USED, "settled before")
}

fn unknown(reason: &str) -> SettleOutcome {
    SettleOutcome::Unknown { transaction: None, reason: reason.to_owned() }
}

/// The task behind one settlement. It outlives its callers' patience, and keeps its permit until the end is known.
async fn lead_settlement(core: Arc<Core>, exact: Exact, echo: Echo, lead: Lead, permit: OwnedSemaphorePermit) {
    let verdict = core.drive(&exact, &lead).await;
    tracing::debug!(payer = %exact.payload.authorization.from, nonce = %exact.payload.authorization.nonce, ?verdict, "settlement ended");
    lead.done(echo.outcome(verdict));
    drop(permit);
}

async fn wait(progress: channel::Receiver<Progress>, deadline: Instant) -> SettleOutcome {
    let hash = progress.clone();
    match timeout_at(deadline, inflight::outcome(progress)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(last)) => SettleOutcome::Unknown {
            transaction: last.map(|hash| hash.to_string()),
            reason: "the settlement's task ended without an outcome".to_owned(),
        },
        Err(_) => SettleOutcome::Unknown {
            transaction: inflight::last_hash(&hash).map(|hash| hash.to_string()),
            reason: "no receipt in time".to_owned(),
        },
    }
}

impl Echo {
    /// Puts a verdict into the words of the protocol.
    pub(crate) fn outcome(&self, verdict: Verdict) -> SettleOutcome {
        let answer = SettleResponse { network: self.network.clone(), payer: self.payer.clone(), ..SettleResponse::default() };
        match verdict {
            Verdict::Settled(transaction) => {
                SettleOutcome::Settled(SettleResponse { success: true, transaction, ..answer })
            }
            Verdict::Refused(refusal, transaction) => SettleOutcome::Refused(SettleResponse {
                error_reason: Some(refusal.reason.to_owned()),
                error_message: Some(refusal.message),
                transaction: transaction.unwrap_or_default(),
                ..answer
            }),
            Verdict::Unknown(transaction, reason) => SettleOutcome::Unknown { transaction, reason },
        }
    }
}
