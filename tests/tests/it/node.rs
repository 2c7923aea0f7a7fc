//! A node that loses, delays or garbles its answers: a payment is neither lost nor doubled.

use std::time::Duration;

use serde_json::json;
use x402_tests::accounts::PAYER;
use x402_tests::anvil::Anvil;
use x402_tests::chaos::{Chaos, Fault};
use x402_tests::rpc_double::{Misdeed, RpcDouble};
use x402_tests::seller::{PRICE, Seller, Setup};
use x402_tests::settler;
use x402_tests::world::World;

use crate::calls::essence;
use crate::failures::settled_answer;

const PATH: &str = "/weather/oslo";

/// Pays once through whatever goes wrong now, and checks that it was once.
async fn one_payment(world: &World, seller: &Seller, what: &str) {
    let books = world.books().await;
    let runs = seller.desk.runs("weather");
    let header = seller
        .buyer()
        .payment(PAYER, PATH, world.now())
        .await
        .header();
    let answer = settled_answer(&seller.buyer(), PATH, &header).await;
    assert_eq!(answer.status, 200, "{what}: {answer:?}");
    assert_eq!(
        essence(&seller.buyer().pay(PATH, &header).await),
        essence(&answer),
        "{what}"
    );
    assert_eq!(seller.desk.runs("weather"), runs + 1, "{what}");
    books.tokens_moved(world, PRICE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s01_a_node_that_loses_its_answers_neither_loses_nor_doubles_a_payment() {
    let chain = Anvil::start().await;
    let double = RpcDouble::start(chain.url()).await;
    let facilitator = settler::facilitator(double.url()).await;
    let world = World::over(chain, facilitator);
    let seller = Seller::start(Setup::on(&world)).await;
    one_payment(&world, &seller, "a good node").await;
    let misdeeds = [
        Misdeed::LoseAnswer,
        Misdeed::Refuse,
        Misdeed::HoldAnswer,
        Misdeed::Junk(b"<html>".to_vec()),
        Misdeed::Junk(b"{\"jsonrpc\":\"2.0\",\"id\":1}".to_vec()),
        Misdeed::Error(-32603, "internal trouble at secret-host".into()),
        Misdeed::Delay(Duration::from_millis(400)),
    ];
    for method in [
        "eth_sendRawTransaction",
        "eth_getTransactionReceipt",
        "eth_call",
    ] {
        for misdeed in &misdeeds {
            double.misbehave(method, 1, misdeed.clone());
            one_payment(&world, &seller, &format!("{method}: {misdeed:?}")).await;
            double.behave();
        }
    }
    for (method, nothing) in [
        ("eth_getTransactionReceipt", json!(null)),
        ("eth_getLogs", json!([])),
    ] {
        double.misbehave(method, 3, Misdeed::Forge(nothing));
        one_payment(&world, &seller, &format!("{method} finds nothing")).await;
        double.behave();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s01_a_connection_to_the_node_that_breaks_anywhere_neither_loses_nor_doubles_a_payment() {
    let chain = Anvil::start().await;
    let proxy = Chaos::start(chain.address()).await;
    let facilitator = settler::facilitator(&proxy.origin()).await;
    let world = World::over(chain, facilitator);
    let seller = Seller::start(Setup::on(&world)).await;
    let breaks = [300, 1_500, 3_000, 5_000]
        .map(Fault::CutRequest)
        .into_iter();
    let breaks = breaks
        .chain([100, 700, 1_500, 3_000].map(Fault::CutAnswer))
        .chain([200, 2_000].map(Fault::ResetAnswer));
    for fault in breaks.chain([Fault::Refuse]) {
        let (books, now) = (world.books().await, world.now());
        let header = seller.buyer().payment(PAYER, PATH, now).await.header();
        proxy.set(fault);
        let first = seller.buyer().pay(PATH, &header).await;
        assert!([200, 503].contains(&first.status), "{fault:?}: {first:?}");
        proxy.set(Fault::None);
        let answer = settled_answer(&seller.buyer(), PATH, &header).await;
        assert_eq!(answer.status, 200, "{fault:?}: {answer:?}");
        books.tokens_moved(&world, PRICE).await;
    }
}

/// The transaction waits in the pool and vanishes from it; the settlement is sent again.
#[tokio::test]
async fn a_transaction_that_the_pool_drops_is_sent_again() {
    let world = World::anvil().await;
    let seller = Seller::start(Setup::on(&world)).await;
    let books = world.books().await;
    let header = seller
        .buyer()
        .payment(PAYER, PATH, world.now())
        .await
        .header();
    world.as_anvil().set_automine(false).await;
    let call = tokio::spawn({
        let (buyer, header) = (seller.buyer(), header.clone());
        async move { buyer.pay(PATH, &header).await }
    });
    let mut waiting = Vec::new();
    for _ in 0..200 {
        waiting = world.as_anvil().waiting().await;
        if !waiting.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(waiting.len(), 1, "the settlement waits in the pool");
    world.as_anvil().drop_transaction(waiting[0]).await;
    world.as_anvil().set_automine(true).await;
    let first = call.await.unwrap();
    let answer = if first.status == 503 {
        settled_answer(&seller.buyer(), PATH, &header).await
    } else {
        first
    };
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(seller.desk.runs("weather"), 1);
    books.tokens_moved(&world, PRICE).await;
}
