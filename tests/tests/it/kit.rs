//! The test kit itself: the chain, the proxy and the double do what the other tests rely on.

use std::time::Duration;

use alloy_primitives::U256;
use http::Method;
use serde_json::json;
use x402_tests::accounts::{self, OTHER, PAYEE, PAYER};
use x402_tests::anvil::{Anvil, FUNDS};
use x402_tests::buyer::Buyer;
use x402_tests::chaos::{Chaos, Fault};
use x402_tests::rpc_double::{Misdeed, RpcDouble};
use x402_tests::token;

#[tokio::test]
async fn the_chain_has_the_token_and_obeys() {
    let chain = Anvil::start_at(Some(1_790_000_000)).await;
    assert_eq!(
        chain.balance(accounts::address(PAYER)).await,
        U256::from(FUNDS)
    );
    assert!(chain.now().await >= 1_790_000_000);

    let accounts: Vec<alloy_primitives::Address> =
        serde_json::from_value(chain.rpc().call("eth_accounts", json!([])).await).unwrap();
    assert_eq!(accounts, (0..10).map(accounts::address).collect::<Vec<_>>());

    let before = chain.snapshot().await;
    chain.jump_to(1_790_001_000).await;
    assert_eq!(chain.now().await, 1_790_001_000);
    let nonce = token::fresh_nonce();
    chain.cancel_authorization(PAYER, nonce).await;
    assert!(chain.is_spent(accounts::address(PAYER), nonce).await);
    chain.empty(PAYER, accounts::address(OTHER)).await;
    assert_eq!(chain.transfers().await.len(), 1);
    assert_eq!(chain.payments_to(accounts::address(OTHER)).await, 1);
    chain.reorg(1).await;
    assert_eq!(
        chain.balance(accounts::address(PAYER)).await,
        U256::from(FUNDS),
        "the last block is gone"
    );

    chain.revert(before).await;
    assert!(!chain.is_spent(accounts::address(PAYER), nonce).await);
    chain.set_automine(false).await;
    let hash = chain
        .submit(OTHER, accounts::address(PAYEE), Vec::new())
        .await;
    assert_eq!(chain.waiting().await, [hash]);
    chain.drop_transaction(hash).await;
    assert!(chain.waiting().await.is_empty());
}

#[tokio::test]
async fn the_proxy_and_the_double_break_what_they_are_told_to() {
    let chain = Anvil::start().await;
    let double = RpcDouble::start(chain.url()).await;
    let rpc = x402_tests::rpc::Rpc::new(double.url());
    assert!(rpc.try_call("eth_chainId", json!([])).await.is_ok());
    double.misbehave("eth_chainId", 1, Misdeed::Forge(json!("0x1")));
    double.misbehave("eth_chainId", 1, Misdeed::LoseAnswer);
    assert_eq!(
        rpc.try_call("eth_chainId", json!([])).await,
        Ok(json!("0x1"))
    );
    assert!(rpc.try_call("eth_chainId", json!([])).await.is_err());
    assert!(rpc.try_call("eth_chainId", json!([])).await.is_ok());
    assert_eq!(double.calls("eth_chainId"), 4);

    let proxy = Chaos::start(chain.address()).await;
    let client = Buyer::new(&proxy.origin());
    let ask = || {
        let body = br#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}"#.to_vec();
        client.try_send(
            Method::POST,
            "/",
            &[("content-type", "application/json")],
            body,
        )
    };
    assert!(ask().await.is_ok());
    for fault in [
        Fault::Refuse,
        Fault::CutRequest(10),
        Fault::CutAnswer(40),
        Fault::ResetAnswer(40),
    ] {
        proxy.set(fault);
        assert!(ask().await.is_err(), "{fault:?}");
    }
    proxy.set(Fault::HoldAnswer(0));
    assert!(
        tokio::time::timeout(Duration::from_millis(300), ask())
            .await
            .is_err()
    );
    proxy.set(Fault::None);
    assert!(ask().await.is_ok());
    assert_eq!(proxy.connections(), 7);
}
