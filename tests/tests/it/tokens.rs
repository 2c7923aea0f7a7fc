//! Tokens that lie, keep a fee, or burn gas: nothing counts as paid without the right Transfer on the chain.

use alloy_primitives::U256;
use alloy_sol_types::{SolCall, sol};
use x402_tests::accounts::{self, OTHER, PAYEE, PAYER};
use x402_tests::buyer::Answer;
use x402_tests::contracts;
use x402_tests::seller::{Seller, Setup};
use x402_tests::token::{TestUsd, USDC};
use x402_tests::world::World;

use crate::failures::settled_answer;

sol! {
    function setAppetite(uint256 gasToBurn) external;
}

/// Replaces the code of the token that the seller accepts, and sets it up.
async fn seller_of(token: &str, setup: Option<Vec<u8>>) -> (World, Seller) {
    let world = World::sandbox();
    let sandbox = world.as_sandbox();
    sandbox
        .set_code(USDC, contracts::runtime(token))
        .expect("code can be placed");
    if let Some(call) = setup {
        let receipt = sandbox
            .transact_as(accounts::address(OTHER), USDC, call)
            .expect("a call can be sent");
        assert!(receipt.status, "{token} takes its settings");
    }
    let seller = Seller::start(Setup::on(&world)).await;
    (world, seller)
}

async fn decided(world: &World, seller: &Seller) -> Answer {
    let header = seller
        .buyer()
        .payment(PAYER, "/weather/oslo", world.now())
        .await
        .header();
    let answer = settled_answer(&seller.buyer(), "/weather/oslo", &header).await;
    assert_eq!(answer.status, 402, "{answer:?}");
    assert!(
        !String::from_utf8_lossy(&answer.body).contains("celsius"),
        "the goods stay withheld"
    );
    let receipt = answer.receipt();
    assert!(receipt.is_none_or(|receipt| receipt["success"] == false));
    assert_eq!(
        settled_answer(&seller.buyer(), "/weather/oslo", &header)
            .await
            .status,
        402,
        "for ever"
    );
    answer
}

#[tokio::test]
async fn t04_a_token_that_lies_about_its_transfer_is_not_paid() {
    for lie in 0..=3 {
        let (world, seller) =
            seller_of("LyingToken", Some(TestUsd::setLieCall { lie }.abi_encode())).await;
        decided(&world, &seller).await;
        assert!(seller.desk.runs("weather") <= 1, "lie {lie}");
    }
}

#[tokio::test]
async fn s05_a_token_that_keeps_a_fee_is_not_paid() {
    let (world, seller) = seller_of("FeeOnTransferToken", None).await;
    let before = world.balance(accounts::address(PAYEE)).await;
    decided(&world, &seller).await;
    let gained = world.balance(accounts::address(PAYEE)).await - before;
    assert!(gained < x402_tests::seller::PRICE, "the payee got {gained}");
}

#[tokio::test]
async fn f03_a_token_that_burns_gas_is_refused_before_it_costs_any() {
    let setup = setAppetiteCall {
        gasToBurn: U256::from(3_000_000),
    }
    .abi_encode();
    let (world, seller) = seller_of("GasGuzzlerToken", Some(setup)).await;
    let books = world.books().await;
    decided(&world, &seller).await;
    books.moved(&world, 0, 0).await;
}

/// At the start such a token is a mistake; one that is changed later is found out by each payment.
#[tokio::test]
async fn a_token_that_loses_eip3009_is_refused_by_name() {
    let world = World::sandbox();
    let seller = Seller::start(Setup::on(&world)).await;
    world
        .as_sandbox()
        .set_code(USDC, contracts::runtime("PlainToken"))
        .expect("code can be placed");
    let answer = decided(&world, &seller).await;
    assert_eq!(
        answer.required().unwrap()["error"],
        "invalid_exact_evm_eip3009_not_supported"
    );
    assert_eq!(seller.desk.runs("weather"), 0);
}

/// It does not revert on a used nonce. Our own ledger and the events decide, so a second sale is impossible.
#[tokio::test]
async fn s04_a_token_that_accepts_used_nonces_sells_once() {
    let (world, seller) = seller_of("SilentNonceToken", None).await;
    let books = world.books().await;
    let payment = seller
        .buyer()
        .payment(PAYER, "/weather/oslo", world.now())
        .await;
    let first = settled_answer(&seller.buyer(), "/weather/oslo", &payment.header()).await;
    assert_eq!(first.status, 200, "{first:?}");
    // Another seller of the same payee, with a ledger of its own that knows nothing.
    let other = Seller::start(Setup::on(&world)).await;
    let answer = settled_answer(&other.buyer(), "/weather/oslo", &payment.header()).await;
    books.tokens_moved(&world, x402_tests::seller::PRICE).await;
    // It may show its goods for the transfer that is on the chain, but must not claim another one.
    if answer.status == 200 {
        assert_eq!(
            answer.receipt().unwrap()["transaction"],
            first.receipt().unwrap()["transaction"]
        );
    }
}
