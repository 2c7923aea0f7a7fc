//! Payments through Permit2 as a buyer signs them, to be changed before they are.

use alloy_primitives::{Address, B256, U256};
use alloy_signer::SignerSync;
use alloy_sol_types::SolCall;
use serde_json::{Value, json};
use x402_model::evm::gas_sponsoring::{EIP2612_GAS_SPONSORING, ERC20_APPROVAL_GAS_SPONSORING};
use x402_model::evm::permit2::{self, PERMIT2, TokenPermissions, Witness};
use x402_model::evm::{
    CallTransaction, Eip712Domain, Eip2612Info, Erc20ApprovalInfo, Permit, Permit2Authorization,
    Permit2Payload, Signature,
};
use x402_model::money::AtomicAmount;
use x402_model::network::Network;
use x402_runtime::facilitator::{FacilitatorRequest, PaymentRef};

use crate::accounts::{self, PAYEE, PAYER};
use crate::anvil::Anvil;
use crate::token::{CHAIN_ID, NETWORK, TestUsd, USDC, fresh_nonce};

/// What a payment permits, in atomic units.
pub const PRICE: u64 = 10_000;

/// One payment of the payer's to the payee.
#[derive(Debug, Clone)]
pub struct Payment {
    /// What is signed.
    pub authorization: Permit2Authorization,
    /// Who signs it.
    pub signer: usize,
    /// The receiver that the terms name.
    pub pay_to: Address,
    /// The token that the terms name.
    pub asset: Address,
    /// Approvals that come along.
    pub extensions: Value,
}

fn sign(signer: usize, digest: B256) -> Signature {
    let signature = accounts::signer(signer)
        .sign_hash_sync(&digest)
        .expect("a key signs");
    Signature::new(signature.as_bytes().to_vec()).expect("a signature of 65 bytes")
}

impl Payment {
    /// A payment of scheme `exact` that is valid from the chain's present on.
    pub async fn exact(chain: &Anvil) -> Self {
        let (to, valid_after) = (accounts::address(PAYEE), U256::ZERO);
        Self::new(chain, Witness::Exact { to, valid_after }).await
    }

    /// A payment of scheme `upto` that one development account may settle.
    pub async fn upto(chain: &Anvil, settler: usize) -> Self {
        let witness = Witness::Upto {
            to: accounts::address(PAYEE),
            facilitator: accounts::address(settler),
            valid_after: U256::ZERO,
        };
        Self::new(chain, witness).await
    }

    async fn new(chain: &Anvil, witness: Witness) -> Self {
        let permitted = TokenPermissions {
            token: USDC,
            amount: U256::from(PRICE),
        };
        Self {
            authorization: Permit2Authorization {
                from: accounts::address(PAYER),
                permitted,
                spender: witness.proxy(),
                nonce: fresh_nonce().into(),
                deadline: U256::from(chain.now().await + 300),
                witness,
            },
            signer: PAYER,
            pay_to: accounts::address(PAYEE),
            asset: USDC,
            extensions: json!({}),
        }
    }

    /// The request that charges this much.
    #[must_use]
    pub fn charging(&self, units: u64) -> FacilitatorRequest {
        let named = self.authorization.witness.facilitator();
        let scheme = if named.is_some() { "upto" } else { "exact" };
        let mut extra = json!({"name": "USDC", "version": "2", "assetTransferMethod": "permit2"});
        if let Some(named) = named {
            extra["facilitatorAddress"] = json!(named.to_checksum(None));
        }
        let terms = |amount: String| {
            json!({
                "scheme": scheme, "network": NETWORK, "amount": amount, "asset": self.asset.to_checksum(None),
                "payTo": self.pay_to.to_checksum(None), "maxTimeoutSeconds": 300, "extra": extra,
            })
        };
        let digest = self.authorization.digest(&permit2::separator(CHAIN_ID));
        let payload = Permit2Payload {
            signature: sign(self.signer, digest),
            authorization: self.authorization,
        };
        FacilitatorRequest {
            x402_version: 2,
            payload: json!({
                "x402Version": 2, "accepted": terms(PRICE.to_string()), "payload": payload.to_json(),
                "resource": {"url": "https://api.example.com/weather"}, "extensions": self.extensions,
            })
            .into(),
            requirements: terms(units.to_string()).into(),
        }
    }

    /// What the ledger would ask about it.
    #[must_use]
    pub fn reference(&self, units: u64) -> PaymentRef {
        PaymentRef {
            network: Network::evm(CHAIN_ID),
            asset: self.asset,
            payer: self.authorization.from,
            nonce: self.authorization.nonce.into(),
            pay_to: self.pay_to,
            amount: AtomicAmount::from_u128(units.into()),
            valid_before: self.authorization.deadline.to(),
            transaction: None,
            since_ms: 0,
        }
    }

    /// Adds a signed permit for Permit2, of the payer's first permit nonce.
    #[must_use]
    pub fn permitting(mut self) -> Self {
        let permit = Permit {
            owner: self.authorization.from,
            spender: PERMIT2,
            value: self.authorization.permitted.amount,
            nonce: U256::ZERO,
            deadline: self.authorization.deadline,
        };
        let domain = Eip712Domain {
            name: "USDC".into(),
            version: "2".into(),
            chain_id: CHAIN_ID,
            verifying_contract: self.asset,
        };
        let info = Eip2612Info {
            asset: self.asset,
            permit,
            signature: sign(self.signer, permit.digest(&domain.separator())),
        };
        self.extensions = json!({EIP2612_GAS_SPONSORING: {"info": info.to_json()}});
        self
    }

    /// Adds the payer's signed approval of Permit2, as a call of `to`.
    pub async fn approving(mut self, chain: &Anvil, to: Address) -> Self {
        let transaction = CallTransaction {
            chain_id: CHAIN_ID,
            nonce: chain.transaction_count(self.authorization.from).await,
            max_priority_fee_per_gas: 1_000_000_000,
            max_fee_per_gas: 3_000_000_000,
            gas_limit: 70_000,
            to,
            data: TestUsd::approveCall {
                spender: PERMIT2,
                value: U256::MAX,
            }
            .abi_encode()
            .into(),
        };
        let signature = sign(self.signer, transaction.signing_hash());
        let parts = signature.split().expect("a signature of 65 bytes");
        let info = Erc20ApprovalInfo {
            from: self.authorization.from,
            asset: self.asset,
            spender: PERMIT2,
            amount: U256::MAX,
            signed_transaction: transaction.encode_signed(&parts).into(),
        };
        self.extensions = json!({ERC20_APPROVAL_GAS_SPONSORING: {"info": info.to_json()}});
        self
    }
}
