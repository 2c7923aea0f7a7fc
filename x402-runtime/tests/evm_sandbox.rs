//! The sandbox chain: money moves, time passes, blocks are taken back.
#![cfg(feature = "sandbox")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests may fail loudly"
)]

#[path = "evm_support/support.rs"]
mod support;

use alloy_primitives::{Address, U256, b256};
use support::{NOW, Payment, balance, sandbox, settled, unknown, verify_code};
use x402_model::evm::Eip712Domain;
use x402_runtime::evm::EvmConfig;
use x402_runtime::evm::chain::{BlockRef, CallRequest, LogFilter};
use x402_runtime::facilitator::Facilitator;
use x402_runtime::sandbox::{CHAIN_ID, Sandbox, SendFault, USDC};

#[tokio::test]
async fn a_payment_is_verified_settled_and_moves_exactly_its_value() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let payment = Payment::new(&sandbox);
    assert_eq!(verify_code(&*facilitator, &payment).await, None);
    let (payer, seller) = (
        balance(&sandbox, USDC, sandbox.payer()),
        balance(&sandbox, USDC, sandbox.seller()),
    );

    let response = settled(facilitator.settle(&payment.request()).await);

    assert_eq!(response.network, "eip155:84532");
    assert_eq!(response.payer.unwrap(), sandbox.payer().to_checksum(None));
    assert_eq!(balance(&sandbox, USDC, sandbox.payer()), payer - 10_000);
    assert_eq!(balance(&sandbox, USDC, sandbox.seller()), seller + 10_000);
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 1);
}

#[tokio::test]
async fn the_token_has_the_domain_of_base_sepolia_usdc() {
    let (sandbox, _) = sandbox();
    let domain = Eip712Domain {
        name: "USDC".into(),
        version: "2".into(),
        chain_id: CHAIN_ID,
        verifying_contract: USDC,
    };
    let wanted = b256!("0x71f17a3b2ff373b803d70a5a07c046c1a2bc8e89c09ef722fcb047abe94c9818");
    assert_eq!(domain.separator().0, wanted);
    // DOMAIN_SEPARATOR()
    let answer = sandbox.read(USDC, vec![0x36, 0x44, 0xe5, 0x15]).unwrap();
    assert_eq!(answer.as_ref(), wanted.as_slice());
}

#[tokio::test]
async fn chain_time_follows_the_clock_and_history_can_be_asked() {
    let (sandbox, clock) = sandbox();
    let chain = sandbox.chain();
    let start = chain.latest_block().await.unwrap();
    assert_eq!(start.timestamp, NOW);
    clock.advance_ms(10_000);
    let later = chain.latest_block().await.unwrap();
    assert_eq!(
        (later.number, later.timestamp),
        (start.number + 5, NOW + 10)
    );

    let payment = Payment::new(&sandbox);
    settled(sandbox.facilitator().settle(&payment.request()).await);
    // balanceOf(seller)
    let data = [
        &[0x70, 0xa0, 0x82, 0x31],
        sandbox.seller().into_word().as_slice(),
    ]
    .concat();
    let request = CallRequest {
        from: Address::ZERO,
        to: USDC,
        data: data.into(),
        gas: None,
    };
    let at = |at| chain.call(request.clone(), at);
    let then = U256::from_be_slice(&at(BlockRef::Number(later.number)).await.unwrap());
    let now = U256::from_be_slice(&at(BlockRef::Latest).await.unwrap());
    assert_eq!(now - then, U256::from(10_000));
    assert!(at(BlockRef::Number(later.number + 9)).await.is_err());
}

#[tokio::test]
async fn a_reorganisation_takes_a_payment_back_and_it_settles_again() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let payment = Payment::new(&sandbox);
    let before = balance(&sandbox, USDC, sandbox.seller());
    let first = settled(facilitator.settle(&payment.request()).await);
    sandbox.reorg(1);
    assert_eq!(balance(&sandbox, USDC, sandbox.seller()), before);
    assert_eq!(
        sandbox
            .chain()
            .receipt(first.transaction.parse().unwrap())
            .await
            .unwrap(),
        None
    );

    settled(facilitator.settle(&payment.request()).await);
    assert_eq!(balance(&sandbox, USDC, sandbox.seller()), before + 10_000);
}

#[tokio::test]
async fn logs_are_filtered_by_topic_and_range() {
    let (sandbox, _) = sandbox();
    let payment = Payment::new(&sandbox);
    settled(sandbox.facilitator().settle(&payment.request()).await);
    let latest = sandbox.latest_block().number;
    let filter = |from, to| LogFilter {
        address: USDC,
        topics: [
            None,
            Some(payment.from.into_word()),
            Some(payment.nonce),
            None,
        ],
        from_block: from,
        to_block: to,
    };
    let chain = sandbox.chain();
    assert_eq!(chain.logs(filter(0, latest)).await.unwrap().len(), 1);
    assert_eq!(chain.logs(filter(latest, latest)).await.unwrap().len(), 1);
    assert!(chain.logs(filter(0, latest - 1)).await.unwrap().is_empty());
}

#[tokio::test]
async fn without_automine_nothing_moves_until_a_block_is_mined() {
    let (sandbox, _) = sandbox();
    let mut config = EvmConfig::sandbox();
    config.settle_timeout = std::time::Duration::from_millis(100);
    config.stall_after = std::time::Duration::from_secs(60);
    let facilitator = sandbox.facilitator_with(config);
    sandbox.set_automine(false);
    let payment = Payment::new(&sandbox);
    let hash = unknown(facilitator.settle(&payment.request()).await).unwrap();
    sandbox.mine();
    assert_eq!(
        settled(facilitator.settle(&payment.request()).await).transaction,
        hash
    );
    assert_eq!(sandbox.drop_pending(), 0);
}

#[tokio::test]
async fn clones_are_one_chain_and_faults_hit_one_broadcast() {
    let (sandbox, _) = sandbox();
    let clone: Sandbox = sandbox.clone();
    clone.fail_next_send(SendFault::Refuse("intrinsic gas too low".into()));
    let payment = Payment::new(&sandbox);
    assert_eq!(
        support::refused(sandbox.facilitator().settle(&payment.request()).await),
        "invalid_exact_evm_transaction_failed"
    );
    settled(clone.facilitator().settle(&payment.request()).await);
    assert_eq!(sandbox.clock().now_seconds(), NOW);
}

#[tokio::test]
async fn settling_takes_milliseconds() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let requests: Vec<_> = (0..50).map(|_| Payment::new(&sandbox).request()).collect();
    let started = std::time::Instant::now();
    for request in &requests {
        settled(facilitator.settle(request).await);
    }
    let each = started.elapsed() / 50;
    println!("one settlement: {each:?}");
    // A generous bound for a loaded machine; it is there to notice a poll interval in the way, not to measure.
    assert!(each < std::time::Duration::from_millis(250), "{each:?}");
}
