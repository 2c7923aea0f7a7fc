//! Payments through Permit2 over JSON-RPC: faults of the node on any step lose and double nothing.
#![cfg(feature = "sandbox")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests may fail loudly"
)]

#[path = "evm_support/node.rs"]
mod node;
#[path = "evm_support/permit2.rs"]
mod permit2;
#[path = "evm_support/support.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256, U256};
use alloy_signer_local::PrivateKeySigner;
use node::{Faults, Reply};
use permit2::{Permit2Payment, approval, approve_all};
use serde_json::Value;
use support::{balance, refused, sandbox, settled};
use x402_runtime::evm::{EvmConfig, EvmFacilitator, RpcChain, RpcLimits, SettlerKey};
use x402_runtime::facilitator::{Evidence, Facilitator, FacilitatorRequest, SettleOutcome};
use x402_runtime::sandbox::{Sandbox, USDC};

/// The methods that a settlement with an approval along uses. `eth_simulateV1` is not among those that the node knows.
const METHODS: &[&str] = &[
    "eth_getCode",
    "eth_call",
    "eth_estimateGas",
    "eth_getBlockByNumber",
    "eth_getTransactionCount",
    "eth_getBalance",
    "eth_sendRawTransaction",
    "eth_getTransactionReceipt",
];

/// An account of this test alone, with native money in the sandbox.
fn settler(sandbox: &Sandbox) -> (SettlerKey, Address) {
    let signer = PrivateKeySigner::from_bytes(&B256::repeat_byte(0x32)).unwrap();
    let address = signer.address();
    sandbox.set_native_balance(address, U256::from(10_u64.pow(18)));
    (SettlerKey::from_signer(signer), address)
}

async fn over_rpc(sandbox: &Sandbox, faults: &Faults) -> (EvmFacilitator, Address) {
    let url = node::node(sandbox.chain(), Arc::clone(faults)).await;
    let limits = RpcLimits::default().with_deadline(Duration::from_millis(300));
    let chain = RpcChain::connect_with(&url, limits).await.unwrap();
    let (key, address) = settler(sandbox);
    let mut config = EvmConfig::sandbox();
    config.stall_after = Duration::from_millis(100);
    let facilitator = EvmFacilitator::new(Arc::new(chain), key, config)
        .await
        .unwrap();
    (facilitator.with_clock(sandbox.clock()), address)
}

/// Presents one payment until its outcome is known.
async fn insist(facilitator: &EvmFacilitator, request: &FacilitatorRequest) -> SettleOutcome {
    for _ in 0..20 {
        match facilitator.settle(request).await {
            SettleOutcome::Unknown { .. } => {}
            known => return known,
        }
    }
    panic!("the outcome stays unknown");
}

#[tokio::test]
async fn the_whole_way_works_with_a_node_that_cannot_simulate() {
    let (sandbox, _) = sandbox();
    let (facilitator, _) = over_rpc(&sandbox, &Faults::default()).await;
    let transaction = approval(&sandbox, sandbox.payer(), USDC);
    let payment = Permit2Payment::exact(&sandbox).with_transaction(&transaction);
    assert!(
        facilitator
            .verify(&payment.request())
            .await
            .unwrap()
            .is_valid
    );
    let mut dear = Permit2Payment::exact(&sandbox);
    dear.amount = U256::from(10_u64.pow(15));
    dear.authorization.permitted.amount = dear.amount;
    let dear = dear.with_transaction(&transaction);
    let outcome = facilitator.settle(&dear.request()).await;
    assert_eq!(refused(outcome), "permit2_insufficient_balance");
    let response = settled(facilitator.settle(&payment.request()).await);
    let Evidence::Paid { transaction, .. } = facilitator.evidence(&payment.reference()).await
    else {
        panic!("the payment is not found");
    };
    assert_eq!(transaction, response.transaction);
}

#[tokio::test]
async fn s01_a_fault_on_any_step_of_an_approval_loses_and_doubles_nothing() {
    for method in METHODS {
        for reply in [Reply::Close, Reply::Hang, Reply::Result(Value::Null)] {
            let (sandbox, _) = sandbox();
            let (payer, faults) = (sandbox.payer(), Faults::default());
            sandbox.set_native_balance(payer, U256::ZERO);
            let (facilitator, account) = over_rpc(&sandbox, &faults).await;
            let transaction = approval(&sandbox, payer, USDC);
            let payment = Permit2Payment::exact(&sandbox).with_transaction(&transaction);
            for _ in 0..3 {
                faults.lock().unwrap().push((method, reply.clone()));
            }
            let what = format!("{method}: {reply:?}");
            let SettleOutcome::Settled(_) = insist(&facilitator, &payment.request()).await else {
                panic!("{what} is not the payment's fault");
            };
            assert_eq!(
                balance(&sandbox, USDC, sandbox.seller()),
                1_000_010_000,
                "{what}"
            );
            // The money for the approval, the payment, and perhaps transfers of nothing to close gaps.
            let given = U256::from(10_u64.pow(18)) - sandbox.native_balance(account);
            assert!(
                given < U256::from(12_000_000_000_000_u64),
                "{what}: {given}"
            );
            assert_eq!(sandbox.transaction_count(payer), 1, "{what}");
        }
    }
}

#[tokio::test]
async fn evidence_that_a_node_cannot_give_is_never_a_no() {
    let (sandbox, _) = sandbox();
    approve_all(&sandbox);
    let faults = Faults::default();
    let (facilitator, _) = over_rpc(&sandbox, &faults).await;
    let payment = Permit2Payment::exact(&sandbox);
    settled(facilitator.settle(&payment.request()).await);
    for method in [
        "eth_call",
        "eth_getLogs",
        "eth_getTransactionByHash",
        "eth_getTransactionReceipt",
        "eth_getBlockByNumber",
    ] {
        for reply in [
            Reply::Close,
            Reply::Result(Value::Null),
            Reply::Result(serde_json::json!([])),
        ] {
            faults.lock().unwrap().push((method, reply.clone()));
            let evidence = facilitator.evidence(&payment.reference()).await;
            faults.lock().unwrap().clear();
            let fine = matches!(
                evidence,
                Evidence::Paid { .. } | Evidence::Unavailable { .. }
            );
            assert!(fine, "{method}: {reply:?}: {evidence:?}");
        }
    }
}
