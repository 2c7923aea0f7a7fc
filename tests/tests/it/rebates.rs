//! Less for those who buy much: our client at our seller, and at one that is killed.

use std::time::Duration;

use x402_client::{Budget, Client, Wallet};
use x402_tests::accounts::{self, PAYER};
use x402_tests::buyer::{Payment, now};
use x402_tests::seller::{PRICE, Seller, Setup};
use x402_tests::world::World;

use crate::crash::Scene;
use crate::failures::settled_answer;

const PATH: &str = "/rates";

fn client() -> Client {
    let budget = Budget::new("1 USD", "0.02 USD").unwrap();
    Client::new(Wallet::from_local_key(accounts::signer(PAYER)), budget)
}

/// What a call cost.
async fn buy(client: &Client, origin: &str, sign_in: bool) -> String {
    let call = client.get(&format!("{origin}{PATH}"));
    let call = if sign_in { call.sign_in() } else { call };
    let answer = call.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let receipt = answer.receipt().expect("paid");
    assert!(receipt.is_settled());
    receipt.amount_text()
}

async fn pays_less_after_four_calls(world: &World) {
    let books = world.books().await;
    let seller = Seller::start(Setup::on(world)).await;
    let client = client();
    for (sign_in, price) in [
        (false, "0.01 USDC"),
        (true, "0.01 USDC"),
        (true, "0.01 USDC"),
        (true, "0.01 USDC"),
        (true, "0.005 USDC"),
        (true, "0.005 USDC"),
        (false, "0.01 USDC"),
    ] {
        assert_eq!(buy(&client, &seller.origin(), sign_in).await, price);
    }
    assert_eq!(seller.desk.runs("rates"), 7);
    books.moved(world, 6 * PRICE, 7).await;
}

#[tokio::test]
async fn our_client_pays_less_after_four_calls_in_the_sandbox() {
    pays_less_after_four_calls(&World::sandbox()).await;
}

#[tokio::test]
async fn our_client_pays_less_after_four_calls_on_anvil() {
    pays_less_after_four_calls(&World::anvil().await).await;
}

/// No matter when the seller is killed, every payment is counted once: the fifth call is the first that costs half.
#[tokio::test]
async fn calls_are_counted_once_by_a_seller_that_is_killed() {
    let scene = Scene::new().await;
    let mut seller = scene.seller(None);
    for (paid, delay) in [(1, 3_u64), (2, 9), (3, 25)] {
        let header = Payment::new(PAYER, &seller.buyer().terms(PATH).await, now()).header();
        let call = tokio::spawn({
            let (buyer, header) = (seller.buyer(), header.clone());
            async move {
                let headers = [("PAYMENT-SIGNATURE", header.as_str())];
                let sent = buyer.try_send(http::Method::GET, PATH, &headers, Vec::new());
                let _ = sent.await;
            }
        });
        tokio::time::sleep(Duration::from_millis(delay)).await;
        seller.kill();
        call.await.unwrap();
        seller = scene.seller(None);
        let answer = settled_answer(&seller.buyer(), PATH, &header).await;
        assert_eq!(answer.status, 200, "killed after {delay} ms: {answer:?}");
        assert_eq!(scene.payments().await, paid);
        // And when it has been answered.
        seller.kill();
        seller = scene.seller(None);
    }
    for price in ["0.01 USDC", "0.005 USDC"] {
        assert_eq!(buy(&client(), &seller.origin, true).await, price);
        seller.kill();
        seller = scene.seller(None);
    }
    assert_eq!(scene.payments().await, 5);
}

/// No matter when the seller is killed, nobody has more calls for nothing than there are.
#[tokio::test]
async fn free_calls_are_counted_by_a_seller_that_is_killed() {
    let scene = Scene::new().await;
    let mut seller = scene.seller(None);
    let url = |seller: &crate::crash::Process| format!("{}/sample", seller.origin);
    let (mut free, mut paid) = (0, 0);
    for delay in [2_u64, 5, 9, 14, 20, 60, 90] {
        let call = tokio::spawn({
            let url = url(&seller);
            async move { client().get(&url).sign_in().send().await }
        });
        tokio::time::sleep(Duration::from_millis(delay)).await;
        seller.kill();
        // Whoever heard an answer had it for nothing, or paid for it.
        if let Ok(answer) = call.await.unwrap() {
            assert_eq!(answer.status().as_u16(), 200);
            *if answer.receipt().is_some() {
                &mut paid
            } else {
                &mut free
            } += 1;
        }
        seller = scene.seller(None);
    }
    for _ in 0..4 {
        let answer = client().get(&url(&seller)).sign_in().send().await.unwrap();
        *if answer.receipt().is_some() {
            &mut paid
        } else {
            &mut free
        } += 1;
    }
    assert!(free <= 3, "{free} calls were free");
    assert!(paid >= 1, "the last one was paid for");
    assert!(scene.payments().await >= paid);
}
