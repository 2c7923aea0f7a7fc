//! Settling over JSON-RPC: the whole way works, and faults of the node on any step lose and double nothing.
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
#[path = "evm_support/support.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::B256;
use alloy_signer_local::PrivateKeySigner;
use node::{Faults, Reply, http, serve};
use serde_json::{Value, json};
use support::{Payment, balance, sandbox, settled, unknown};
use x402_runtime::evm::chain::ChainError;
use x402_runtime::evm::{
    Chain, EvmConfig, EvmFacilitator, EvmStartError, RpcChain, RpcLimits, SettlerKey,
};
use x402_runtime::facilitator::{Evidence, Facilitator};
use x402_runtime::sandbox::{Sandbox, USDC};

fn limits() -> RpcLimits {
    RpcLimits::default()
        .with_deadline(Duration::from_millis(150))
        .with_max_answer(64 * 1024)
}

/// A key of this test alone, with native money in the sandbox.
fn settler(sandbox: &Sandbox) -> SettlerKey {
    let signer = PrivateKeySigner::from_bytes(&B256::repeat_byte(0x31)).unwrap();
    sandbox.set_native_balance(
        signer.address(),
        alloy_primitives::U256::from(10_u64.pow(18)),
    );
    SettlerKey::from_signer(signer)
}

fn config() -> EvmConfig {
    let mut config = EvmConfig::sandbox();
    config.stall_after = Duration::from_millis(100);
    config
}

async fn facilitator_over_rpc(sandbox: &Sandbox, faults: &Faults) -> EvmFacilitator {
    let url = node::node(sandbox.chain(), Arc::clone(faults)).await;
    let chain = RpcChain::connect_with(&url, limits()).await.unwrap();
    EvmFacilitator::new(Arc::new(chain), settler(sandbox), config())
        .await
        .unwrap()
        .with_clock(sandbox.clock())
}

#[tokio::test]
async fn the_whole_way_works_over_json_rpc() {
    let (sandbox, _) = sandbox();
    let facilitator = facilitator_over_rpc(&sandbox, &Faults::default()).await;
    let payment = Payment::new(&sandbox);
    assert_eq!(support::verify_code(&facilitator, &payment).await, None);
    let response = settled(facilitator.settle(&payment.request()).await);
    let evidence = facilitator.evidence(&payment.reference()).await;
    assert_eq!(
        evidence,
        Evidence::Paid {
            transaction: response.transaction,
            confirmations: 1
        }
    );
    let code = support::verify_code(&facilitator, &payment).await;
    assert_eq!(
        code.as_deref(),
        Some("invalid_exact_evm_nonce_already_used")
    );
    let dear = Payment {
        value: 2_000_000_000,
        ..Payment::new(&sandbox)
    };
    assert_eq!(
        support::refused(facilitator.settle(&dear.request()).await),
        "invalid_exact_evm_insufficient_balance"
    );
}

#[tokio::test]
async fn a_broadcast_whose_answer_is_lost_is_found_on_the_chain() {
    let lost = [
        Reply::Hang,
        Reply::Close,
        Reply::Raw(http("502 Bad Gateway", "", b"")),
        Reply::Error(json!({ "code": -32603, "message": "backend timeout" })),
        Reply::Result(json!(B256::ZERO)),
    ];
    for reply in lost {
        let (sandbox, _) = sandbox();
        let faults = Faults::default();
        let facilitator = facilitator_over_rpc(&sandbox, &faults).await;
        let before = balance(&sandbox, USDC, sandbox.seller());
        faults
            .lock()
            .unwrap()
            .push(("eth_sendRawTransaction", reply.clone()));
        let payment = Payment::new(&sandbox);
        settled(facilitator.settle(&payment.request()).await);
        assert_eq!(
            balance(&sandbox, USDC, sandbox.seller()),
            before + 10_000,
            "{reply:?}"
        );
        settled(facilitator.settle(&Payment::new(&sandbox).request()).await);
    }
}

#[tokio::test]
async fn a_fault_before_the_broadcast_is_unknown_and_sends_nothing() {
    for method in [
        "eth_getCode",
        "eth_call",
        "eth_estimateGas",
        "eth_getBlockByNumber",
        "eth_getTransactionCount",
    ] {
        let (sandbox, _) = sandbox();
        let faults = Faults::default();
        let facilitator = facilitator_over_rpc(&sandbox, &faults).await;
        let payment = Payment::new(&sandbox);
        faults.lock().unwrap().push((method, Reply::Close));
        assert_eq!(
            unknown(facilitator.settle(&payment.request()).await),
            None,
            "{method}"
        );
        assert_eq!(balance(&sandbox, USDC, sandbox.seller()), 1_000_000_000);
        settled(facilitator.settle(&payment.request()).await);
    }
}

#[tokio::test]
async fn faults_while_waiting_for_the_receipt_do_not_change_the_outcome() {
    let (sandbox, _) = sandbox();
    let faults = Faults::default();
    let facilitator = facilitator_over_rpc(&sandbox, &faults).await;
    for reply in [
        Reply::Close,
        Reply::Result(Value::Null),
        Reply::Result(json!({})),
        Reply::Raw(b"x".to_vec()),
    ] {
        faults
            .lock()
            .unwrap()
            .push(("eth_getTransactionReceipt", reply));
    }
    settled(facilitator.settle(&Payment::new(&sandbox).request()).await);
}

#[tokio::test]
async fn another_chain_than_configured_does_not_start() {
    let (sandbox, _) = sandbox();
    let url = node::node(sandbox.chain(), Faults::default()).await;
    let chain: Arc<dyn Chain> = Arc::new(RpcChain::connect_with(&url, limits()).await.unwrap());
    let mut config = config();
    config.chain_id = Some(8453);
    let error = EvmFacilitator::new(Arc::clone(&chain), settler(&sandbox), config)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            EvmStartError::Chain(ChainError::WrongChain {
                expected: 8453,
                found: 84532
            })
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_published_key_does_not_settle_real_money() {
    let url = serve(|_| Reply::Result(json!("0x2105"))).await;
    let chain: Arc<dyn Chain> = Arc::new(RpcChain::connect_with(&url, limits()).await.unwrap());
    let public = SettlerKey::from_signer(Sandbox::new().unwrap().payer_signer());
    assert!(public.is_well_known_dev_key());
    let error = EvmFacilitator::new(Arc::clone(&chain), public.clone(), EvmConfig::default())
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        EvmStartError::PublicKey { chain_id: 8453, .. }
    ));
    let mut config = EvmConfig::default();
    config.allow_public_key = true;
    assert!(EvmFacilitator::new(chain, public, config).await.is_ok());
}
