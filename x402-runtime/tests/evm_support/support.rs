//! Payments, contracts and shorthand that the tests of own settlement share.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alloy_primitives::{Address, B256, Bytes, U256};
use serde_json::{Value, json};
use x402_model::evm::{Authorization, Eip712Domain, ExactEvmPayload, Signature};
use x402_model::money::AtomicAmount;
use x402_model::network::Network;
use x402_model::wire::SettleResponse;
use x402_runtime::clock::ManualClock;
use x402_runtime::facilitator::{Facilitator, FacilitatorRequest, PaymentRef, SettleOutcome};
use x402_runtime::sandbox::{CHAIN_ID, DevAccount, Sandbox, USDC};

/// The time that tests start at.
pub(crate) const NOW: u64 = 1_790_000_000;

/// A sandbox on a clock that stands still, and the clock.
pub(crate) fn sandbox() -> (Sandbox, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at_seconds(NOW));
    (Sandbox::with_clock(clock.clone()).unwrap(), clock)
}

/// One payment in the making. Change what a test is about, then sign.
#[derive(Clone)]
pub(crate) struct Payment {
    pub(crate) payer: DevAccount,
    pub(crate) from: Address,
    pub(crate) to: Address,
    pub(crate) value: u64,
    pub(crate) valid_after: u64,
    pub(crate) valid_before: u64,
    pub(crate) nonce: B256,
    pub(crate) token: Address,
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// Replaces the payer's signature.
    pub(crate) signature: Option<Bytes>,
}

/// Every payment of a test binary gets another nonce.
static NONCE: AtomicU64 = AtomicU64::new(1);

impl Payment {
    pub(crate) fn new(sandbox: &Sandbox) -> Self {
        let [payer, ..] = sandbox.accounts();
        let now = sandbox.clock().now_seconds();
        Self {
            payer: payer.clone(),
            from: payer.address(),
            to: sandbox.seller(),
            value: 10_000,
            valid_after: 0,
            valid_before: now + 300,
            nonce: B256::from(U256::from(NONCE.fetch_add(1, Ordering::SeqCst))),
            token: USDC,
            name: "USDC",
            version: "2",
            signature: None,
        }
    }

    pub(crate) fn authorization(&self) -> Authorization {
        Authorization {
            from: self.from,
            to: self.to,
            value: U256::from(self.value),
            valid_after: U256::from(self.valid_after),
            valid_before: U256::from(self.valid_before),
            nonce: self.nonce,
        }
    }

    pub(crate) fn digest(&self) -> B256 {
        let domain = Eip712Domain {
            name: self.name.into(),
            version: self.version.into(),
            chain_id: CHAIN_ID,
            verifying_contract: self.token,
        };
        self.authorization().digest(&domain.separator())
    }

    pub(crate) fn signature(&self) -> Bytes {
        self.signature
            .clone()
            .unwrap_or_else(|| self.payer.sign(self.digest()).unwrap().to_vec().into())
    }

    pub(crate) fn requirements(&self) -> Value {
        json!({
            "scheme": "exact", "network": Network::evm(CHAIN_ID), "amount": self.value.to_string(),
            "asset": self.token.to_checksum(None), "payTo": self.to.to_checksum(None), "maxTimeoutSeconds": 300,
            "extra": { "name": self.name, "version": self.version },
        })
    }

    pub(crate) fn request(&self) -> FacilitatorRequest {
        let payload = ExactEvmPayload {
            signature: Signature::new(self.signature()).unwrap(),
            authorization: self.authorization(),
        };
        FacilitatorRequest {
            x402_version: 2,
            payload: json!({
                "x402Version": 2,
                "resource": { "url": "https://api.example.com/weather" },
                "accepted": self.requirements(),
                "payload": payload.to_json(),
            })
            .into(),
            requirements: self.requirements().into(),
        }
    }

    /// What the ledger would ask about it.
    pub(crate) fn reference(&self) -> PaymentRef {
        PaymentRef {
            network: Network::evm(CHAIN_ID),
            asset: self.token,
            payer: self.from,
            nonce: self.nonce,
            pay_to: self.to,
            amount: AtomicAmount::from_u128(self.value.into()),
            valid_before: self.valid_before,
            transaction: None,
            since_ms: 0,
        }
    }
}

/// The code that a verification was refused with; `None` when it was not.
pub(crate) async fn verify_code(
    facilitator: &dyn Facilitator,
    payment: &Payment,
) -> Option<String> {
    let answer = facilitator.verify(&payment.request()).await.unwrap();
    assert_eq!(answer.is_valid, answer.invalid_reason.is_none());
    answer.invalid_reason
}

/// The response of a settlement that must have moved money.
#[track_caller]
pub(crate) fn settled(outcome: SettleOutcome) -> SettleResponse {
    match outcome {
        SettleOutcome::Settled(response) => {
            assert!(response.is_settled());
            response
        }
        other => panic!("not settled: {other:?}"),
    }
}

/// The code of a settlement that must have been refused.
#[track_caller]
pub(crate) fn refused(outcome: SettleOutcome) -> String {
    match outcome {
        SettleOutcome::Refused(response) => {
            assert!(!response.success);
            response.error_reason.unwrap()
        }
        other => panic!("not refused: {other:?}"),
    }
}

/// The transaction of a settlement whose outcome must be unknown.
#[track_caller]
pub(crate) fn unknown(outcome: SettleOutcome) -> Option<String> {
    match outcome {
        SettleOutcome::Unknown { transaction, .. } => transaction,
        other => panic!("known: {other:?}"),
    }
}

/// A compiled test contract.
pub(crate) struct Artifact {
    pub(crate) creation: Bytes,
    pub(crate) runtime: Bytes,
}

/// Reads `contracts/artifacts/<name>.json`.
pub(crate) fn artifact(name: &str) -> Artifact {
    let path = format!(
        "{}/../contracts/artifacts/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let json: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let code = |key: &str| json[key].as_str().unwrap().parse().unwrap();
    Artifact {
        creation: code("creation"),
        runtime: code("runtime"),
    }
}

/// Puts a token of `contracts/src/test` at an address of its own, with money for the first account.
pub(crate) fn odd_token(sandbox: &Sandbox, name: &str) -> Address {
    let address = Address::from_slice(&alloy_primitives::keccak256(name)[..20]);
    sandbox
        .place_token(address, artifact(name).runtime, "Odd", "ODD", "1")
        .unwrap();
    sandbox.mint(address, sandbox.payer(), 1_000_000).unwrap();
    address
}

/// A payment with an odd token.
pub(crate) fn odd_payment(sandbox: &Sandbox, token: Address) -> Payment {
    Payment {
        token,
        name: "Odd",
        version: "1",
        ..Payment::new(sandbox)
    }
}

/// A token balance in atomic units.
pub(crate) fn balance(sandbox: &Sandbox, token: Address, account: Address) -> u64 {
    sandbox
        .balance_of(token, account)
        .unwrap()
        .to_string()
        .parse()
        .unwrap()
}
