//! The facilitator's checks of a payment: what they have in common for all ways to pay.

mod eip3009;
mod permit2;

use alloy_primitives::{Address, B256, Bytes, address};
use alloy_sol_types::SolCall;
use x402_model::evm::{Erc6492, Signature, SignedCall};

use crate::evm::abi::SignatureWallet::isValidSignatureCall;
use crate::evm::chain::{BlockRef, CallError, CallRequest, ChainError};
use crate::evm::core::Core;
use crate::evm::payment::Payment;
use crate::evm::reason::{self, Refusal, Stop, refuse};
use crate::evm::recover::recover;

/// What ERC-1271 wallets answer to a signature they approve.
const ERC1271_MAGIC: [u8; 4] = [0x16, 0x26, 0xba, 0x7e];
/// Multicall3, at the same address on every chain that has it.
pub(crate) const MULTICALL3: Address = address!("0xcA11bde05977b3631167028862bE2a173976CA11");

/// What a payment is checked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The terms are those of the 402.
    Verify,
    /// The terms hold what is charged, which under `upto` may be less than what was permitted.
    Settle,
}

/// How a payment that passed its checks is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The contract that moves the money: the token, or a proxy of Permit2.
    pub(crate) target: Address,
    /// Its input.
    pub(crate) data: Bytes,
    /// A wallet that must be deployed first (ERC-6492), by an allowed factory.
    pub(crate) deploy: Option<Deploy>,
    /// The payer's own approval of Permit2, which must be mined first.
    pub(crate) approval: Option<SignedCall>,
}

/// The call that deploys a payer's wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deploy {
    pub(crate) factory: Address,
    pub(crate) calldata: Bytes,
}

/// A signature that was found good, or that a wallet will be asked about once it is deployed.
struct Signed {
    signature: Bytes,
    deploy: Option<Deploy>,
}

impl Core {
    /// Everything but the simulation.
    pub(crate) async fn check(&self, payment: &Payment, purpose: Purpose) -> Result<Plan, Stop> {
        self.check_allowed(payment)?;
        match payment {
            Payment::Eip3009(exact) => self.check_eip3009(exact).await,
            Payment::Permit2(permitted) => self.check_permit2(permitted, purpose).await,
        }
    }

    /// Runs the settlement without sending it.
    pub(crate) async fn simulate(&self, payment: &Payment, plan: &Plan) -> Result<(), Stop> {
        match payment {
            Payment::Eip3009(exact) => self.simulate_eip3009(exact, plan).await,
            Payment::Permit2(permitted) => self.simulate_permit2(permitted, plan).await,
        }
    }

    /// Why a settlement with an unused nonce does not go through.
    pub(crate) async fn diagnose(
        &self,
        payment: &Payment,
        otherwise: &'static str,
        message: String,
    ) -> Stop {
        let cause = match payment {
            Payment::Eip3009(exact) => self.find_eip3009_cause(exact).await,
            Payment::Permit2(permitted) => self.find_permit2_cause(permitted).await,
        };
        match cause {
            Ok(cause) => Stop::Refused(Refusal::new(cause.unwrap_or(otherwise), message)),
            Err(error) => Stop::Chain(error),
        }
    }

    /// This facilitator's own limits; wide open by default.
    fn check_allowed(&self, payment: &Payment) -> Result<(), Stop> {
        let (asset, amount) = (payment.id().asset, payment.amount());
        let allowed = |list: &[Address], one: &Address| list.is_empty() || list.contains(one);
        if !allowed(&self.config.allowed_assets, &asset)
            || !allowed(&self.config.allowed_pay_to, &payment.pay_to())
        {
            return refuse(
                reason::INVALID_REQUIREMENTS,
                "asset or receiver is not on this facilitator's list",
            );
        }
        // A charge of nothing under `upto` costs nothing either.
        let free = payment.metered().is_some() && amount.is_zero();
        let mut minimums = self.config.minimum_values.iter();
        match minimums.find(|(listed, _)| *listed == asset) {
            Some((_, least)) if amount < *least && !free => refuse(
                reason::BELOW_MINIMUM,
                format!("less than {least} atomic units are not settled"),
            ),
            _ => Ok(()),
        }
    }

    /// Whether the payer has signed. Accounts with code answer for themselves, EIP-7702 delegations included.
    async fn check_signer(
        &self,
        payer: Address,
        digest: B256,
        signature: &Signature,
        code: &'static str,
    ) -> Result<Signed, Stop> {
        let has_code = !self.chain.code(payer).await?.is_empty();
        let Ok(wrapped) = signature.unwrap_erc6492() else {
            return refuse(code, "malformed ERC-6492 wrapper");
        };
        // A zero factory means that nothing can be deployed: such a wrapper is taken as the signature itself.
        let wrapped = wrapped.filter(|wrapped| wrapped.factory != Address::ZERO);
        if let Some(wrapped) = wrapped.as_ref().filter(|_| !has_code) {
            return self.plan_deployment(wrapped);
        }
        let signature = wrapped
            .as_ref()
            .map_or(signature, |wrapped| &wrapped.signature);
        if has_code {
            self.ask_wallet(payer, digest, signature, code).await?;
        } else if recover(digest, signature) != Some(payer) {
            return refuse(code, "the payer's key did not sign this");
        }
        Ok(Signed {
            signature: signature.bytes().clone(),
            deploy: None,
        })
    }

    fn plan_deployment(&self, wrapped: &Erc6492) -> Result<Signed, Stop> {
        if !self.config.allowed_factories.contains(&wrapped.factory) {
            return refuse(
                reason::FACTORY_NOT_ALLOWED,
                "the wallet's factory is not on the list",
            );
        }
        Ok(Signed {
            signature: wrapped.signature.bytes().clone(),
            deploy: Some(Deploy {
                factory: wrapped.factory,
                calldata: wrapped.calldata.clone(),
            }),
        })
    }

    async fn ask_wallet(
        &self,
        wallet: Address,
        hash: B256,
        signature: &Signature,
        code: &'static str,
    ) -> Result<(), Stop> {
        match self.ask_erc1271(wallet, hash, signature).await {
            Ok(true) => Ok(()),
            Ok(false) => refuse(code, "the payer's wallet does not approve the signature"),
            Err(CallError::Revert { message, .. }) => refuse(code, message),
            Err(CallError::Chain(error)) => Err(error.into()),
        }
    }

    /// Whether a contract wallet approves a signature; one that reverts does not.
    pub(super) async fn wallet_approves(
        &self,
        wallet: Address,
        hash: B256,
        signature: &Signature,
    ) -> Result<bool, ChainError> {
        match self.ask_erc1271(wallet, hash, signature).await {
            Ok(approves) => Ok(approves),
            Err(CallError::Revert { .. }) => Ok(false),
            Err(CallError::Chain(error)) => Err(error),
        }
    }

    async fn ask_erc1271(
        &self,
        wallet: Address,
        hash: B256,
        signature: &Signature,
    ) -> Result<bool, CallError> {
        let call = isValidSignatureCall {
            hash,
            signature: signature.bytes().clone(),
        };
        let call = self.free_call(self.settler(), wallet, call.abi_encode().into());
        let answer = self.chain.call(call, BlockRef::Latest).await?;
        Ok(answer.len() >= 32 && answer.starts_with(&ERC1271_MAGIC))
    }

    /// Whether the asset has code. Only a yes is remembered: code cannot go away, but it may come.
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

    /// A call that is only run, with the gas that the transaction may have.
    fn free_call(&self, from: Address, to: Address, data: Bytes) -> CallRequest {
        CallRequest {
            from,
            to,
            data,
            gas: Some(self.config.max_gas),
        }
    }

    /// Runs calls one after the other; the last one's result counts.
    async fn last_of(&self, calls: Vec<CallRequest>) -> Result<Bytes, CallError> {
        let results = self.chain.call_in_turn(calls).await?;
        results.into_iter().next_back().unwrap_or_else(|| {
            Err(ChainError::BadAnswer("no result of a simulation".to_owned()).into())
        })
    }
}
