//! Payments through Permit2 in the making, and what third parties do to them.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::sync::atomic::{AtomicU64, Ordering};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::{SolCall, sol};
use serde_json::{Map, Value, json};
use x402_model::evm::Permit;
use x402_model::evm::gas_sponsoring::{EIP2612_GAS_SPONSORING, ERC20_APPROVAL_GAS_SPONSORING};
use x402_model::evm::permit2::{self, PERMIT2, TokenPermissions, Witness};
use x402_model::evm::{
    CallTransaction, EcdsaParts, Eip712Domain, Eip2612Info, Erc20ApprovalInfo,
    Permit2Authorization, Permit2Payload, Signature,
};
use x402_model::money::AtomicAmount;
use x402_model::network::Network;
use x402_runtime::facilitator::{FacilitatorRequest, PaymentRef};
use x402_runtime::sandbox::{CHAIN_ID, DevAccount, PERMIT_TOKEN, Sandbox, USDC};

sol! {
    struct TokenAmount { address token; uint256 amount; }
    struct Signed { TokenAmount permitted; uint256 nonce; uint256 deadline; }
    struct Details { address to; uint256 requestedAmount; }
    struct ExactWitness { address to; uint256 validAfter; }

    function invalidateUnorderedNonces(uint256 wordPos, uint256 mask) external;
    function permitTransferFrom(Signed permit, Details details, address owner, bytes signature) external;
    function settle(Signed permit, address owner, ExactWitness witness, bytes signature) external;
    function approve(address spender, uint256 amount) external returns (bool);
}

/// Every payment of a test binary gets another nonce, each in a word of its own.
static NONCE: AtomicU64 = AtomicU64::new(1);

/// One payment in the making. Change what a test is about, then ask for its request.
#[derive(Clone)]
pub(crate) struct Permit2Payment {
    pub(crate) payer: DevAccount,
    pub(crate) authorization: Permit2Authorization,
    /// What the terms say, where it is not what the authorization says.
    pub(crate) asset: Address,
    pub(crate) pay_to: Address,
    pub(crate) amount: U256,
    pub(crate) scheme: &'static str,
    pub(crate) extra: Value,
    pub(crate) extensions: Map<String, Value>,
    /// Replaces the payer's signature.
    pub(crate) signature: Option<Bytes>,
}

impl Permit2Payment {
    /// 10,000 units of the sandbox's USDC for the seller, of scheme `exact`.
    pub(crate) fn exact(sandbox: &Sandbox) -> Self {
        let (to, valid_after) = (sandbox.seller(), U256::ZERO);
        Self::new(sandbox, Witness::Exact { to, valid_after }, "exact")
    }

    /// At most 50,000 units, of scheme `upto`.
    pub(crate) fn upto(sandbox: &Sandbox) -> Self {
        let witness = Witness::Upto {
            to: sandbox.seller(),
            facilitator: sandbox.settler(),
            valid_after: U256::ZERO,
        };
        let mut payment = Self::new(sandbox, witness, "upto");
        payment.amount = U256::from(50_000);
        payment.authorization.permitted.amount = payment.amount;
        payment.extra["facilitatorAddress"] = json!(sandbox.settler().to_checksum(None));
        payment
    }

    fn new(sandbox: &Sandbox, witness: Witness, scheme: &'static str) -> Self {
        let [payer, ..] = sandbox.accounts();
        let amount = U256::from(10_000);
        let count = NONCE.fetch_add(1, Ordering::SeqCst);
        let authorization = Permit2Authorization {
            from: payer.address(),
            permitted: TokenPermissions {
                token: USDC,
                amount,
            },
            spender: witness.proxy(),
            nonce: keccak256(count.to_be_bytes()).into(),
            deadline: U256::from(sandbox.clock().now_seconds() + 300),
            witness,
        };
        Self {
            payer: payer.clone(),
            authorization,
            asset: USDC,
            pay_to: sandbox.seller(),
            amount,
            scheme,
            extra: json!({"name": "USDC", "version": "2", "assetTransferMethod": "permit2"}),
            extensions: Map::new(),
            signature: None,
        }
    }

    /// The same payment in another token.
    pub(crate) fn in_token(mut self, token: Address) -> Self {
        self.asset = token;
        self.authorization.permitted.token = token;
        self
    }

    pub(crate) fn digest(&self) -> B256 {
        self.authorization.digest(&permit2::separator(CHAIN_ID))
    }

    pub(crate) fn signature(&self) -> Bytes {
        self.signature
            .clone()
            .unwrap_or_else(|| self.payer.sign(self.digest()).unwrap().to_vec().into())
    }

    pub(crate) fn requirements(&self) -> Value {
        json!({
            "scheme": self.scheme, "network": Network::evm(CHAIN_ID), "amount": self.amount.to_string(),
            "asset": self.asset.to_checksum(None), "payTo": self.pay_to.to_checksum(None), "maxTimeoutSeconds": 300,
            "extra": self.extra,
        })
    }

    /// The payment as JSON, for tests that change it further.
    pub(crate) fn payload(&self) -> Value {
        let payload = Permit2Payload {
            signature: Signature::new(self.signature()).unwrap(),
            authorization: self.authorization,
        };
        let mut accepted = self.requirements();
        accepted["amount"] = json!(self.authorization.permitted.amount.to_string());
        json!({
            "x402Version": 2,
            "resource": { "url": "https://api.example.com/weather" },
            "accepted": accepted,
            "payload": payload.to_json(),
            "extensions": self.extensions,
        })
    }

    pub(crate) fn request(&self) -> FacilitatorRequest {
        FacilitatorRequest {
            x402_version: 2,
            payload: self.payload().into(),
            requirements: self.requirements().into(),
        }
    }

    /// The request that charges this much of what was permitted.
    pub(crate) fn charging(&self, units: u64) -> FacilitatorRequest {
        let charged = Self {
            amount: U256::from(units),
            ..self.clone()
        };
        charged.request()
    }

    /// What the ledger would ask about it.
    pub(crate) fn reference(&self) -> PaymentRef {
        PaymentRef {
            network: Network::evm(CHAIN_ID),
            asset: self.asset,
            payer: self.authorization.from,
            nonce: self.authorization.nonce.into(),
            pay_to: self.pay_to,
            amount: AtomicAmount::new(self.amount),
            valid_before: self.authorization.deadline.to(),
            transaction: None,
            since_ms: 0,
        }
    }

    /// Adds a signed permit for Permit2.
    pub(crate) fn with_permit(mut self, sandbox: &Sandbox, name: &str, version: &str) -> Self {
        let permit = Permit {
            owner: self.authorization.from,
            spender: PERMIT2,
            value: self.authorization.permitted.amount,
            nonce: U256::ZERO,
            deadline: self.authorization.deadline,
        };
        let domain = Eip712Domain {
            name: name.into(),
            version: version.into(),
            chain_id: sandbox.network().chain_id().unwrap(),
            verifying_contract: self.asset,
        };
        let signature = self.payer.sign(permit.digest(&domain.separator())).unwrap();
        let info = Eip2612Info {
            asset: self.asset,
            permit,
            signature: Signature::new(signature.to_vec()).unwrap(),
        };
        let info = Value::Object(info.to_json());
        self.extensions
            .insert(EIP2612_GAS_SPONSORING.into(), json!({ "info": info }));
        self
    }

    /// Adds a signed transaction.
    pub(crate) fn with_transaction(mut self, transaction: &CallTransaction) -> Self {
        let info = Erc20ApprovalInfo {
            from: self.authorization.from,
            asset: self.asset,
            spender: PERMIT2,
            amount: U256::MAX,
            signed_transaction: sign_transaction(&self.payer, transaction).into(),
        };
        let info = Value::Object(info.to_json());
        self.extensions.insert(
            ERC20_APPROVAL_GAS_SPONSORING.into(),
            json!({ "info": info }),
        );
        self
    }

    /// Has anybody but the settler submit it to the proxy of scheme `exact`.
    pub(crate) fn submit_as(&self, sandbox: &Sandbox, from: Address) -> B256 {
        let receipt = sandbox.transact_as(from, self.authorization.spender, self.settle_call());
        receipt.unwrap().transaction
    }

    /// The call of the proxy of scheme `exact`.
    pub(crate) fn settle_call(&self) -> Vec<u8> {
        let Witness::Exact { to, valid_after } = self.authorization.witness else {
            panic!("only payments of scheme exact can be sent by anybody");
        };
        let witness = ExactWitness {
            to,
            validAfter: valid_after,
        };
        settleCall {
            permit: self.signed(),
            owner: self.authorization.from,
            witness,
            signature: self.signature(),
        }
        .abi_encode()
    }

    fn signed(&self) -> Signed {
        let a = &self.authorization;
        Signed {
            permitted: TokenAmount {
                token: a.permitted.token,
                amount: a.permitted.amount,
            },
            nonce: a.nonce,
            deadline: a.deadline,
        }
    }

    /// Has the payer take the nonce back.
    pub(crate) fn invalidate(&self, sandbox: &Sandbox) -> B256 {
        let (word, mask) = place(self.authorization.nonce);
        let call = invalidateUnorderedNoncesCall {
            wordPos: word,
            mask,
        };
        let from = self.authorization.from;
        let receipt = sandbox.transact_as(from, PERMIT2, call.abi_encode());
        receipt.unwrap().transaction
    }

    /// Has the payer use the nonce up for a transfer of its own, of `units` of the token to `to`.
    pub(crate) fn burn(&self, sandbox: &Sandbox, to: Address, units: u64) -> B256 {
        const TYPE: &str = "PermitTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline)TokenPermissions(address token,uint256 amount)";
        let mut signed = self.signed();
        signed.permitted.amount = U256::from(units);
        let words = |words: &[B256]| keccak256(words.iter().flat_map(|w| w.0).collect::<Vec<_>>());
        let permitted = words(&[
            keccak256("TokenPermissions(address token,uint256 amount)"),
            signed.permitted.token.into_word(),
            signed.permitted.amount.into(),
        ]);
        let from = self.authorization.from;
        let hash = words(&[
            keccak256(TYPE),
            permitted,
            from.into_word(),
            signed.nonce.into(),
            signed.deadline.into(),
        ]);
        let digest = permit2::separator(CHAIN_ID).digest(hash);
        let call = permitTransferFromCall {
            permit: signed,
            details: Details {
                to,
                requestedAmount: U256::from(units),
            },
            owner: from,
            signature: self.payer.sign(digest).unwrap().to_vec().into(),
        };
        let receipt = sandbox.transact_as(from, PERMIT2, call.abi_encode());
        receipt.unwrap().transaction
    }
}

/// Where Permit2 keeps a nonce.
pub(crate) fn place(nonce: U256) -> (U256, U256) {
    (nonce >> 8, U256::ONE << usize::from(nonce.byte(0)))
}

/// A transaction with a development account's signature, as it goes to a node.
pub(crate) fn sign_transaction(signer: &DevAccount, transaction: &CallTransaction) -> Vec<u8> {
    let signature = signer.sign(transaction.signing_hash()).unwrap();
    let parts: EcdsaParts = Signature::new(signature.to_vec()).unwrap().split().unwrap();
    transaction.encode_signed(&parts)
}

/// The approval that a buyer would sign now.
pub(crate) fn approval(sandbox: &Sandbox, owner: Address, token: Address) -> CallTransaction {
    CallTransaction {
        chain_id: CHAIN_ID,
        nonce: sandbox.transaction_count(owner),
        max_priority_fee_per_gas: 1_000_000,
        max_fee_per_gas: 100_000_000,
        gas_limit: 70_000,
        to: token,
        data: approveCall {
            spender: PERMIT2,
            amount: U256::MAX,
        }
        .abi_encode()
        .into(),
    }
}

/// Lets Permit2 move all tokens of the buying account.
pub(crate) fn approve_all(sandbox: &Sandbox) {
    for token in [USDC, PERMIT_TOKEN] {
        sandbox
            .approve_permit2(token, sandbox.payer(), U256::MAX)
            .unwrap();
    }
}
