//! Payments through Permit2: the checks in the order and with the codes of protocol 3.4 and 5.1.

use alloy_primitives::{Address, U256};
use x402_model::evm::{GasSponsoring, SignedCall};

use super::{Plan, Purpose, Signed};
use crate::evm::chain::{BlockRef, CallError, CallRequest, ChainError};
use crate::evm::core::Core;
use crate::evm::permit2;
use crate::evm::permitted::Permitted;
use crate::evm::reason::{self, Refusal, Stop, refuse};
use crate::evm::recover::recover_parts;
use crate::evm::token::{self, Read};

impl Core {
    /// Everything from the spender to the signature, and then the approval that came along.
    pub(super) async fn check_permit2(
        &self,
        permitted: &Permitted,
        purpose: Purpose,
    ) -> Result<Plan, Stop> {
        self.check_permit2_terms(permitted, purpose)?;
        self.check_asset(permitted.asset).await?;
        let Some(signature) = &permitted.signature else {
            return refuse(reason::PERMIT2_SIGNATURE, "malformed signature");
        };
        let signed = self
            .check_signer(
                permitted.authorization.from,
                permitted.digest(),
                signature,
                reason::PERMIT2_SIGNATURE,
            )
            .await?;
        self.plan_permit2(permitted, signed).await
    }

    fn check_permit2_terms(&self, permitted: &Permitted, purpose: Purpose) -> Result<(), Stop> {
        let authorization = &permitted.authorization;
        let witness = &authorization.witness;
        let now = U256::from(self.clock.now_seconds());
        if authorization.spender != witness.proxy() {
            return refuse(reason::PERMIT2_SPENDER, "another spender than the proxy");
        }
        if witness.to() != permitted.pay_to {
            return refuse(reason::PERMIT2_RECIPIENT_MISMATCH, "pays somebody else");
        }
        if let Some(facilitator) = witness.facilitator()
            && self.account(facilitator).is_none()
        {
            return refuse(
                reason::UPTO_FACILITATOR_MISMATCH,
                "may only be settled by another facilitator",
            );
        }
        if authorization.deadline < now.saturating_add(U256::from(self.config.valid_before_margin))
        {
            return refuse(reason::PERMIT2_DEADLINE_EXPIRED, "expired, or about to");
        }
        if witness.valid_after() > now {
            return refuse(reason::PERMIT2_NOT_YET_VALID, "not valid yet");
        }
        // Under `upto` the charge is compared with what was permitted when the payment is settled.
        let charge = permitted.is_upto() && purpose == Purpose::Settle;
        if !charge && authorization.permitted.amount != permitted.amount {
            return refuse(reason::PERMIT2_AMOUNT_MISMATCH, "permits another amount");
        }
        if authorization.permitted.token != permitted.asset {
            return refuse(reason::PERMIT2_TOKEN_MISMATCH, "permits another token");
        }
        Ok(())
    }

    /// The approval is only looked at if it may be needed, and used only if it is exactly what the payment needs.
    async fn plan_permit2(&self, permitted: &Permitted, signed: Signed) -> Result<Plan, Stop> {
        let payer = permitted.authorization.from;
        let sponsoring = permitted
            .sponsoring
            .as_ref()
            .map_err(|error| Stop::from(Refusal::new(error.code(), error.to_string())))?;
        let (mut permit, mut approval) = (None, None);
        let checked = match sponsoring {
            None => Ok(()),
            Some(GasSponsoring::Eip2612(info)) => {
                permit = Some(info);
                info.check(
                    payer,
                    permitted.asset,
                    permitted.authorization.permitted.amount,
                    self.clock.now_seconds(),
                )
            }
            Some(GasSponsoring::Erc20Approval(info)) => info
                .check(payer, permitted.asset, self.chain_id, recover_parts)
                .map(|call| approval = Some(call)),
        };
        checked.map_err(|error| Refusal::new(error.code(), error.to_string()))?;
        self.check_proxy(permitted.authorization.spender).await?;
        if approval.is_some() && self.is_approved(permitted).await? {
            approval = None;
        }
        Ok(Plan {
            target: permitted.authorization.spender,
            data: permitted.settle_call(&signed.signature, permit),
            deploy: signed.deploy,
            approval,
        })
    }

    /// Whether the proxy is there: an account without code takes any call, and moves nothing. Only a yes is remembered.
    async fn check_proxy(&self, proxy: Address) -> Result<(), Stop> {
        let now = self.clock.now_ms();
        if self.assets.knows(proxy, now) {
            return Ok(());
        }
        if !permit2::has_proxy(&*self.chain, proxy).await? {
            return refuse(
                reason::PERMIT2_PROXY_NOT_DEPLOYED,
                "no x402 proxy on this chain",
            );
        }
        self.assets.remember(proxy, now);
        Ok(())
    }

    /// Whether Permit2 may move what is charged.
    pub(crate) async fn is_approved(&self, permitted: &Permitted) -> Result<bool, ChainError> {
        let payer = permitted.authorization.from;
        let allowance = permit2::allowance(&*self.chain, permitted.asset, payer).await?;
        Ok(matches!(allowance, Read::Value(most) if most >= permitted.amount))
    }

    /// The account that the proxy must see as its caller.
    fn caller(&self, permitted: &Permitted) -> Address {
        let named = permitted.authorization.witness.facilitator();
        named.unwrap_or_else(|| self.settler())
    }

    /// Runs the settlement without sending it, after whatever has to come before it.
    pub(super) async fn simulate_permit2(
        &self,
        permitted: &Permitted,
        plan: &Plan,
    ) -> Result<(), Stop> {
        let settle = self.free_call(self.caller(permitted), plan.target, plan.data.clone());
        let mut calls = Vec::new();
        if let Some(deploy) = &plan.deploy {
            calls.push(CallRequest {
                gas: Some(self.config.max_deploy_gas),
                ..self.free_call(self.settler(), deploy.factory, deploy.calldata.clone())
            });
        }
        if let Some(approval) = &plan.approval {
            calls.push(approval_call(permitted.authorization.from, approval));
        }
        let run = if calls.is_empty() {
            self.chain.call(settle, BlockRef::Latest).await
        } else {
            calls.push(settle);
            self.last_of(calls).await
        };
        let message = match run {
            Ok(_) => return Ok(()),
            Err(CallError::Revert { message, .. }) => message,
            // Not every node can run calls in turn; what can be known without that is asked.
            Err(CallError::Chain(ChainError::Refused { .. })) if plan.approval.is_some() => {
                return self.check_prerequisites(permitted).await;
            }
            Err(CallError::Chain(error)) => return Err(error.into()),
        };
        let cause = self.find_permit2_cause(permitted).await?;
        Err(Refusal::new(cause.unwrap_or(reason::PERMIT2_SIMULATION_FAILED), message).into())
    }

    /// What must hold besides the approval.
    async fn check_prerequisites(&self, permitted: &Permitted) -> Result<(), Stop> {
        let used = permit2::nonce_used(&*self.chain, permitted.id(), BlockRef::Latest).await?;
        if used != Read::Value(false) {
            return refuse(reason::PERMIT2_SIMULATION_FAILED, "the nonce is used");
        }
        match self.find_permit2_cause(permitted).await? {
            None | Some(reason::PERMIT2_ALLOWANCE_REQUIRED) => Ok(()),
            Some(cause) => refuse(cause, "a prerequisite is missing"),
        }
    }

    /// Why a transfer with an unused nonce does not go through.
    pub(super) async fn find_permit2_cause(
        &self,
        permitted: &Permitted,
    ) -> Result<Option<&'static str>, ChainError> {
        let chain = &*self.chain;
        let payer = permitted.authorization.from;
        let (proxy, balance, allowance) = tokio::join!(
            permit2::has_proxy(chain, permitted.authorization.witness.proxy()),
            token::balance_of(chain, permitted.asset, payer),
            permit2::allowance(chain, permitted.asset, payer),
        );
        let short =
            |found: Read<U256>| matches!(found, Read::Value(units) if units < permitted.amount);
        Ok(if !proxy? {
            Some(reason::PERMIT2_PROXY_NOT_DEPLOYED)
        } else if short(balance?) {
            Some(reason::PERMIT2_INSUFFICIENT_BALANCE)
        } else if short(allowance?) {
            Some(reason::PERMIT2_ALLOWANCE_REQUIRED)
        } else {
            None
        })
    }
}

/// The payer's approval as a call that is only run.
fn approval_call(payer: Address, approval: &SignedCall) -> CallRequest {
    let transaction = &approval.transaction;
    CallRequest {
        from: payer,
        to: transaction.to,
        data: transaction.data.clone(),
        gas: Some(transaction.gas_limit),
    }
}
