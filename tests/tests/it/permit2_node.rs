//! Payments through Permit2 over JSON-RPC: what only a real node can show.

use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolCall;
use x402_model::evm::permit2::PERMIT2;
use x402_runtime::evm::chain::{CallError, CallRequest};
use x402_runtime::evm::{Chain, RpcChain, SettlePath, token_facts};
use x402_runtime::facilitator::{Evidence, Facilitator, FacilitatorRequest, SettleOutcome};
use x402_tests::accounts::{self, PAYEE, PAYER, SETTLER};
use x402_tests::anvil::{Anvil, FUNDS};
use x402_tests::permitted::{PRICE, Payment};
use x402_tests::settler;
use x402_tests::token::{TestUsd, USDC};

async fn ready() -> (Anvil, Arc<dyn Facilitator>) {
    let chain = Anvil::start().await;
    let facilitator = settler::facilitator(chain.url()).await;
    (chain, facilitator)
}

async fn reason(facilitator: &dyn Facilitator, request: &FacilitatorRequest) -> Option<String> {
    facilitator.verify(request).await.unwrap().invalid_reason
}

#[track_caller]
fn transaction(outcome: SettleOutcome) -> B256 {
    match outcome {
        SettleOutcome::Settled(response) => response.transaction.parse().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn permit2_payments_settle_on_a_node_and_are_found_there() {
    let (chain, facilitator) = ready().await;
    let exact = Payment::exact(&chain).await;
    let required = reason(&*facilitator, &exact.charging(PRICE)).await;
    assert_eq!(required.as_deref(), Some("permit2_allowance_required"));
    chain.approve_permit2(PAYER, true).await;
    assert_eq!(reason(&*facilitator, &exact.charging(PRICE)).await, None);
    let upto = Payment::upto(&chain, SETTLER).await;
    for (payment, units, path) in [
        (&exact, PRICE, SettlePath::Permit2Exact),
        (&upto, 123, SettlePath::Permit2Upto),
    ] {
        let unused = facilitator.evidence(&payment.reference(units)).await;
        assert!(matches!(unused, Evidence::Unused { .. }), "{unused:?}");
        let hash = transaction(facilitator.settle(&payment.charging(units)).await);
        let evidence = facilitator.evidence(&payment.reference(units)).await;
        let Evidence::Paid { transaction, .. } = evidence else {
            panic!("{evidence:?}");
        };
        assert_eq!(transaction, hash.to_string());
        let receipt = chain.receipt(hash).await.unwrap();
        let used: U256 = receipt["gasUsed"].as_str().unwrap().parse().unwrap();
        println!("{path:?}: {used} gas");
        // The receiver of the first one holds no token yet.
        assert!(used < U256::from(path.gas() + 20_000), "{path:?}: {used}");
        // The same once more moves nothing more.
        transaction_of_repeat(&*facilitator, payment, units, hash).await;
    }
    let paid = U256::from(PRICE + 123);
    assert_eq!(chain.balance(accounts::address(PAYEE)).await, paid);
    assert_eq!(
        chain.balance(accounts::address(PAYER)).await,
        U256::from(FUNDS) - paid
    );
}

async fn transaction_of_repeat(
    facilitator: &dyn Facilitator,
    payment: &Payment,
    units: u64,
    first: B256,
) {
    let again = facilitator.settle(&payment.charging(units)).await;
    assert_eq!(transaction(again), first);
}

/// The approval and the payment are simulated together by the node, and then sent one after the other.
#[tokio::test]
async fn a_payer_without_native_money_pays_with_an_approval_that_comes_along() {
    let (chain, facilitator) = ready().await;
    chain
        .set_native_balance(accounts::address(PAYER), U256::ZERO)
        .await;
    let payment = Payment::exact(&chain).await.approving(&chain, USDC).await;
    assert_eq!(reason(&*facilitator, &payment.charging(PRICE)).await, None);
    transaction(facilitator.settle(&payment.charging(PRICE)).await);
    assert_eq!(
        chain.balance(accounts::address(PAYEE)).await,
        U256::from(PRICE)
    );
    assert_eq!(chain.transaction_count(accounts::address(PAYER)).await, 1);
    assert_eq!(chain.transaction_count(accounts::address(SETTLER)).await, 2);
}

#[tokio::test]
async fn f03_a_node_is_sent_no_signed_call_of_another_contract() {
    let (chain, facilitator) = ready().await;
    let payment = Payment::exact(&chain)
        .await
        .approving(&chain, PERMIT2)
        .await;
    let outcome = facilitator.settle(&payment.charging(PRICE)).await;
    let SettleOutcome::Refused(response) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(
        response.error_reason.as_deref(),
        Some("erc20_approval_tx_wrong_target")
    );
    for account in [PAYER, SETTLER] {
        assert_eq!(chain.transaction_count(accounts::address(account)).await, 0);
    }
}

#[tokio::test]
async fn a_node_runs_calls_in_turn_and_shows_transactions() {
    let (chain, _) = ready().await;
    let node = RpcChain::connect(chain.url()).await.unwrap();
    let payer = accounts::address(PAYER);
    let call = |from, data: Vec<u8>| CallRequest {
        from,
        to: USDC,
        data: data.into(),
        gas: Some(100_000),
    };
    let pull = TestUsd::transferCall {
        to: payer,
        value: U256::from(FUNDS),
    };
    let push = TestUsd::transferCall {
        to: accounts::address(PAYEE),
        value: U256::from(FUNDS),
    };
    let back = call(accounts::address(PAYEE), pull.abi_encode());
    let there = call(payer, push.abi_encode());
    let results = node
        .call_in_turn(vec![back.clone(), there, back])
        .await
        .unwrap();
    let Err(CallError::Revert { message, .. }) = &results[0] else {
        panic!("{results:?}");
    };
    assert!(message.contains("exceeds balance"), "{message}");
    assert!(results[1].is_ok() && results[2].is_ok(), "{results:?}");
    assert_eq!(
        chain.balance(payer).await,
        U256::from(FUNDS),
        "nothing is kept"
    );
    let hash = chain.send(PAYER, USDC, push.abi_encode()).await;
    let shown = node.transaction(hash).await.unwrap().unwrap();
    assert_eq!((shown.from, shown.to), (payer, Some(USDC)));
    assert_eq!(shown.input.as_ref(), push.abi_encode());
    assert_eq!(node.transaction(B256::repeat_byte(1)).await.unwrap(), None);
}

#[tokio::test]
async fn a_node_says_what_the_token_can_do() {
    let (chain, _) = ready().await;
    let node = RpcChain::connect(chain.url()).await.unwrap();
    let facts = token_facts(&node, USDC).await.unwrap().unwrap();
    assert_eq!(
        (facts.name.as_deref(), facts.decimals),
        (Some("USDC"), Some(6))
    );
    assert!(facts.eip3009 && facts.eip2612 && facts.permit2_exact && facts.permit2_upto);
    assert!(facts.eip712.is_some());
    assert_eq!(
        token_facts(&node, Address::repeat_byte(9)).await.unwrap(),
        None
    );
}
