//! Our own client against our own seller.

use std::time::Duration;

use x402_client::{Budget, Client, Wallet};
use x402_tests::accounts::{self, PAYER};
use x402_tests::chaos::{Chaos, Fault};
use x402_tests::seller::{Desk, PRICE, Seller, Setup};
use x402_tests::world::World;

fn client(budget: &str) -> Client {
    let budget = Budget::new(budget, "0.02 USD").unwrap();
    Client::new(Wallet::from_local_key(accounts::signer(PAYER)), budget)
}

async fn pays_once(world: &World) {
    let books = world.books().await;
    let seller = Seller::start(Setup::on(world)).await;
    let client = client("0.05 USD");
    let answer = client
        .get(&format!("{}/weather/oslo", seller.origin()))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert!(answer.text().unwrap().contains("oslo"));
    assert!(
        answer
            .receipt()
            .expect("a paid call has a receipt")
            .is_settled()
    );
    assert_eq!(seller.desk.runs("weather"), 1);
    books.moved(world, PRICE, 1).await;
    let free = client
        .get(&format!("{}/free", seller.origin()))
        .send()
        .await
        .unwrap();
    assert!(
        free.receipt().is_none(),
        "what costs nothing is not paid for"
    );
    books.moved(world, PRICE, 1).await;
}

#[tokio::test]
async fn our_client_pays_our_seller_once_in_the_sandbox() {
    pays_once(&World::sandbox()).await;
}

#[tokio::test]
async fn our_client_pays_our_seller_once_on_anvil() {
    pays_once(&World::anvil().await).await;
}

#[tokio::test]
async fn a07_many_tasks_never_spend_more_than_the_budget() {
    let world = World::sandbox();
    let books = world.books().await;
    let seller = Seller::start(Setup::on(&world)).await;
    let client = client("0.10 USD");
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let (client, url) = (client.clone(), format!("{}/weather/oslo", seller.origin()));
        tasks.spawn(async move {
            client
                .get(&url)
                .send()
                .await
                .is_ok_and(|answer| answer.receipt().is_some())
        });
    }
    let paid = tasks
        .join_all()
        .await
        .into_iter()
        .filter(|paid| *paid)
        .count();
    assert_eq!(paid, 10, "the budget is good for ten calls");
    books.moved(&world, 10 * PRICE, 10).await;
}

/// The answer is lost on its way after the money moved: the client presents the same payment again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s01_a_client_whose_answer_is_lost_is_served_without_paying_again() {
    let world = World::sandbox();
    let books = world.books().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Chaos::start(listener.local_addr().unwrap()).await;
    let setup = Setup {
        origin: Some(proxy.origin()),
        ..Setup::on(&world)
    };
    let seller = Seller::serve(setup, Desk::default(), listener).await;
    let (client, url) = (
        client("0.05 USD"),
        format!("{}/behave?do=wait", proxy.origin()),
    );
    let call = tokio::spawn(async move { client.get(&url).send().await });
    seller.desk.until("wait", 1).await;
    proxy.set(Fault::CutAnswer(10));
    seller.desk.open(1);
    tokio::time::sleep(Duration::from_millis(300)).await;
    books.moved(&world, PRICE, 1).await;
    proxy.set(Fault::None);
    let answer = call.await.unwrap().unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert!(answer.receipt().unwrap().is_settled());
    assert_eq!(seller.desk.runs("wait"), 1);
    books.moved(&world, PRICE, 1).await;
}
