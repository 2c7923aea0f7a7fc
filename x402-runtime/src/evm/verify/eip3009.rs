//! Payments by EIP-3009: the checks in the order and with the codes of protocol 3.1 and 3.3.

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;

use super::{MULTICALL3, Plan};
use crate::evm::abi::Multicall;
use crate::evm::chain::{BlockRef, CallError, CallRequest, ChainError};
use crate::evm::core::Core;
use crate::evm::exact::Exact;
use crate::evm::reason::{self, Refusal, Stop, refuse};
use crate::evm::token::{self, Read};

impl Core {
    /// Steps 4 to 10.
    pub(super) async fn check_eip3009(&self, exact: &Exact) -> Result<Plan, Stop> {
        let signed = self
            .check_signer(
                exact.payload.authorization.from,
                exact.digest(),
                &exact.payload.signature,
                reason::SIGNATURE,
            )
            .await?;
        self.check_terms(exact)?;
        self.check_asset(exact.asset).await?;
        Ok(Plan {
            target: exact.asset,
            data: token::transfer_call(exact, &signed.signature),
            deploy: signed.deploy,
            approval: None,
        })
    }

    /// Steps 6 to 9.
    fn check_terms(&self, exact: &Exact) -> Result<(), Stop> {
        let now = U256::from(self.clock.now_seconds());
        let authorization = &exact.payload.authorization;
        if authorization.to != exact.pay_to {
            return refuse(reason::RECIPIENT_MISMATCH, "pays somebody else");
        }
        if authorization.valid_before
            < now.saturating_add(U256::from(self.config.valid_before_margin))
        {
            return refuse(reason::VALID_BEFORE, "expired, or about to");
        }
        if authorization.valid_after > now {
            return refuse(reason::VALID_AFTER, "not valid yet");
        }
        if authorization.value != exact.amount {
            let code = if exact.version == 1 {
                reason::VALUE_MISMATCH_V1
            } else {
                reason::VALUE_MISMATCH
            };
            return refuse(code, "pays another amount");
        }
        Ok(())
    }

    /// Step 11: runs the transfer without sending it.
    ///
    /// The nonce is looked at in any case, because some tokens do not revert when it is used, and some contracts
    /// accept calls of functions that they do not have.
    pub(super) async fn simulate_eip3009(&self, exact: &Exact, plan: &Plan) -> Result<(), Stop> {
        let state = token::authorization_state(&*self.chain, exact.id(), BlockRef::Latest);
        let (run, state) = tokio::join!(self.try_transfer(exact.asset, plan), state);
        match (run, state?) {
            (Err(CallError::Chain(error)), _) => Err(error.into()),
            (_, Read::Unsupported) => {
                refuse(reason::EIP3009_NOT_SUPPORTED, "no authorizationState")
            }
            (_, Read::Value(true)) => refuse(reason::NONCE_ALREADY_USED, "used or cancelled"),
            (Ok(()), Read::Value(false)) => Ok(()),
            (Err(CallError::Revert { message, .. }), Read::Value(false)) => {
                let cause = self.find_eip3009_cause(exact).await?;
                Err(Refusal::new(cause.unwrap_or(reason::SIMULATION_FAILED), message).into())
            }
        }
    }

    async fn try_transfer(&self, asset: Address, plan: &Plan) -> Result<(), CallError> {
        let Some(deploy) = &plan.deploy else {
            let call = self.free_call(self.settler(), asset, plan.data.clone());
            return self.chain.call(call, BlockRef::Latest).await.map(drop);
        };
        let calls = vec![
            Multicall::Call {
                target: deploy.factory,
                callData: deploy.calldata.clone(),
            },
            Multicall::Call {
                target: asset,
                callData: plan.data.clone(),
            },
        ];
        let call = Multicall::tryAggregateCall {
            requireSuccess: false,
            calls,
        };
        let gas = self
            .config
            .max_gas
            .saturating_add(self.config.max_deploy_gas);
        let request = CallRequest {
            from: self.settler(),
            to: MULTICALL3,
            data: call.abi_encode().into(),
            gas: Some(gas),
        };
        let answer = self.chain.call(request, BlockRef::Latest).await?;
        let results = Multicall::tryAggregateCall::abi_decode_returns(&answer)
            .map_err(|_| ChainError::BadAnswer("no Multicall3 on this chain".to_owned()))?;
        // Whether the factory call succeeded is no question: somebody else may have deployed the wallet meanwhile.
        match results.last() {
            Some(transfer) if transfer.success => Ok(()),
            Some(transfer) => Err(CallError::Revert {
                data: transfer.returnData.clone(),
                message: crate::evm::abi::revert_reason(&transfer.returnData).unwrap_or_default(),
            }),
            None => Err(ChainError::BadAnswer("empty Multicall3 answer".to_owned()).into()),
        }
    }

    /// Why a transfer with an unused nonce does not go through, in the order of step 11.
    pub(super) async fn find_eip3009_cause(
        &self,
        exact: &Exact,
    ) -> Result<Option<&'static str>, ChainError> {
        let chain = &*self.chain;
        let (name, version, balance) = tokio::join!(
            token::name(chain, exact.asset),
            token::version(chain, exact.asset),
            token::balance_of(chain, exact.asset, exact.payload.authorization.from),
        );
        let differs = |found: Read<String>, wanted: &str| matches!(found, Read::Value(found) if found != wanted);
        if differs(name?, &exact.name) {
            return Ok(Some(reason::TOKEN_NAME_MISMATCH));
        }
        if differs(version?, &exact.token_version) {
            return Ok(Some(reason::TOKEN_VERSION_MISMATCH));
        }
        match balance? {
            Read::Value(balance) if balance < exact.amount => {
                Ok(Some(reason::INSUFFICIENT_BALANCE))
            }
            _ => Ok(None),
        }
    }
}
