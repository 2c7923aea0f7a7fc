//! The facilitator's checks of a payment, in the order and with the codes of protocol 3.1 and 3.3.

use alloy_primitives::{Address, Bytes, U256, address};
use alloy_sol_types::SolCall;
use x402_model::evm::{Erc6492, Signature};

use crate::evm::abi::{Multicall, SignatureWallet::isValidSignatureCall};
use crate::evm::chain::{BlockRef, CallError, CallRequest, ChainError};
use crate::evm::core::Core;
use crate::evm::exact::Exact;
use crate::evm::reason::{self, Stop, refuse};
use crate::evm::recover::recover;
use crate::evm::token::{self, Read};

/// What ERC-1271 wallets answer to a signature they approve.
const ERC1271_MAGIC: [u8; 4] = [0x16, 0x26, 0xba, 0x7e];
/// Multicall3, at the same address on every chain that has it.
pub(crate) const MULTICALL3: Address = address!("0xcA11bde05977b3631167028862bE2a173976CA11");

/// How a payment that passed its checks is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Input for the token.
    pub(crate) transfer: Bytes,
    /// A wallet that must be deployed first (ERC-6492), by an allowed factory.
    pub(crate) deploy: Option<Deploy>,
}

/// The call that deploys a payer's wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deploy {
    pub(crate) factory: Address,
    pub(crate) calldata: Bytes,
}

impl Core {
    /// Steps 4 to 10: everything but the simulation.
    pub(crate) async fn check(&self, exact: &Exact) -> Result<Plan, Stop> {
        self.check_allowed(exact)?;
        let payer = exact.payload.authorization.from;
        let has_code = !self.chain.code(payer).await?.is_empty();
        let plan = self.check_signature(exact, has_code).await?;
        self.check_terms(exact)?;
        self.check_asset(exact.asset).await?;
        Ok(plan)
    }

    /// This facilitator's own limits; wide open by default.
    fn check_allowed(&self, exact: &Exact) -> Result<(), Stop> {
        let allowed = |list: &[Address], one: &Address| list.is_empty() || list.contains(one);
        if !allowed(&self.config.allowed_assets, &exact.asset)
            || !allowed(&self.config.allowed_pay_to, &exact.pay_to)
        {
            return refuse(
                reason::INVALID_REQUIREMENTS,
                "asset or receiver is not on this facilitator's list",
            );
        }
        let mut minimums = self.config.minimum_values.iter();
        match minimums.find(|(asset, _)| *asset == exact.asset) {
            Some((_, least)) if exact.amount < *least => refuse(
                reason::BELOW_MINIMUM,
                format!("less than {least} atomic units are not settled"),
            ),
            _ => Ok(()),
        }
    }

    /// Steps 4 and 5. Accounts with code answer for themselves, EIP-7702 delegations included.
    async fn check_signature(&self, exact: &Exact, has_code: bool) -> Result<Plan, Stop> {
        let wrapped = exact.payload.signature.unwrap_erc6492();
        let Ok(wrapped) = wrapped else {
            return refuse(reason::SIGNATURE, "malformed ERC-6492 wrapper");
        };
        // A zero factory means that nothing can be deployed: such a wrapper is taken as the signature itself.
        let wrapped = wrapped.filter(|wrapped| wrapped.factory != Address::ZERO);
        if let Some(wrapped) = wrapped.as_ref().filter(|_| !has_code) {
            return self.plan_deployment(exact, wrapped);
        }
        let signature = wrapped
            .as_ref()
            .map_or(&exact.payload.signature, |wrapped| &wrapped.signature);
        if has_code {
            self.ask_wallet(exact, signature).await?;
        } else {
            let digest = exact.payload.authorization.digest(&exact.separator);
            if recover(digest, signature) != Some(exact.payload.authorization.from) {
                return refuse(reason::SIGNATURE, "the payer's key did not sign this");
            }
        }
        Ok(Plan {
            transfer: token::transfer_call(exact, signature.bytes()),
            deploy: None,
        })
    }

    fn plan_deployment(&self, exact: &Exact, wrapped: &Erc6492) -> Result<Plan, Stop> {
        if !self.config.allowed_factories.contains(&wrapped.factory) {
            return refuse(
                reason::FACTORY_NOT_ALLOWED,
                "the wallet's factory is not on the list",
            );
        }
        Ok(Plan {
            transfer: token::transfer_call(exact, wrapped.signature.bytes()),
            deploy: Some(Deploy {
                factory: wrapped.factory,
                calldata: wrapped.calldata.clone(),
            }),
        })
    }

    async fn ask_wallet(&self, exact: &Exact, signature: &Signature) -> Result<(), Stop> {
        let hash = exact.payload.authorization.digest(&exact.separator);
        let call = isValidSignatureCall {
            hash,
            signature: signature.bytes().clone(),
        };
        let wallet = exact.payload.authorization.from;
        match self.simulate_call(wallet, call.abi_encode().into()).await {
            Ok(answer) if answer.len() >= 32 && answer.starts_with(&ERC1271_MAGIC) => Ok(()),
            Ok(_) => refuse(
                reason::SIGNATURE,
                "the payer's wallet does not approve the signature",
            ),
            Err(CallError::Revert { message, .. }) => refuse(reason::SIGNATURE, message),
            Err(CallError::Chain(error)) => Err(error.into()),
        }
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

    /// Step 10. Only a yes is remembered: code cannot go away, but it may come.
    async fn check_asset(&self, asset: Address) -> Result<(), Stop> {
        let now = self.clock.now_ms();
        if self.assets.knows(asset, now) {
            return Ok(());
        }
        if self.chain.code(asset).await?.is_empty() {
            return refuse(reason::ASSET_NOT_CONTRACT, "the asset has no code");
        }
        self.assets.remember(asset, now);
        Ok(())
    }

    /// Step 11: runs the transfer without sending it.
    ///
    /// The nonce is looked at in any case, because some tokens do not revert when it is used, and some contracts
    /// accept calls of functions that they do not have.
    pub(crate) async fn simulate(&self, exact: &Exact, plan: &Plan) -> Result<(), Stop> {
        let state = token::authorization_state(&*self.chain, exact.id(), BlockRef::Latest);
        let (run, state) = tokio::join!(self.try_transfer(exact.asset, plan), state);
        match (run, state?) {
            (Err(CallError::Chain(error)), _) => Err(error.into()),
            (_, Read::Unsupported) => {
                refuse(reason::EIP3009_NOT_SUPPORTED, "no authorizationState")
            }
            (_, Read::Value(true)) => refuse(reason::NONCE_ALREADY_USED, "used or cancelled"),
            (Ok(()), Read::Value(false)) => Ok(()),
            (Err(CallError::Revert { message, .. }), Read::Value(false)) => Err(self
                .diagnose(exact, reason::SIMULATION_FAILED, message)
                .await),
        }
    }

    async fn try_transfer(&self, asset: Address, plan: &Plan) -> Result<(), CallError> {
        let Some(deploy) = &plan.deploy else {
            return self
                .simulate_call(asset, plan.transfer.clone())
                .await
                .map(drop);
        };
        let calls = vec![
            Multicall::Call {
                target: deploy.factory,
                callData: deploy.calldata.clone(),
            },
            Multicall::Call {
                target: asset,
                callData: plan.transfer.clone(),
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

    async fn simulate_call(&self, to: Address, data: Bytes) -> Result<Bytes, CallError> {
        let request = CallRequest {
            from: self.settler(),
            to,
            data,
            gas: Some(self.config.max_gas),
        };
        self.chain.call(request, BlockRef::Latest).await
    }

    /// Why a transfer with an unused nonce does not go through, in the order of step 11.
    pub(crate) async fn diagnose(
        &self,
        exact: &Exact,
        otherwise: &'static str,
        message: String,
    ) -> Stop {
        match self.find_cause(exact).await {
            Ok(Some(cause)) => Stop::Refused(reason::Refusal::new(cause, message)),
            Ok(None) => Stop::Refused(reason::Refusal::new(otherwise, message)),
            Err(error) => Stop::Chain(error),
        }
    }

    async fn find_cause(&self, exact: &Exact) -> Result<Option<&'static str>, ChainError> {
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
