//! Paid calls from end to end: what moves, how often, and what the buyer holds afterwards.

use std::sync::Arc;

use x402_runtime::ledger::SqliteLedger;
use x402_tests::accounts::{self, PAYER};
use x402_tests::buyer::Answer;
use x402_tests::seller::{PRICE, Seller, Setup};
use x402_tests::token::NETWORK;
use x402_tests::world::World;

/// The parts of an answer that every presentation of one payment must share.
pub(crate) fn essence(answer: &Answer) -> (u16, Vec<u8>, Option<String>) {
    (
        answer.status,
        answer.body.to_vec(),
        answer.header("payment-response").map(str::to_owned),
    )
}

async fn a_paid_call(world: &World, setup: Setup) {
    let books = world.books().await;
    let seller = Seller::start(setup).await;
    let buyer = seller.buyer();
    let header = buyer
        .payment(PAYER, "/weather/oslo", world.now())
        .await
        .header();
    let first = buyer.pay("/weather/oslo", &header).await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(first.json()["city"], "oslo");
    assert_eq!(
        first.json()["payer"],
        accounts::text(PAYER),
        "the handler knows who pays"
    );
    let receipt = first.receipt().expect("a paid answer carries a receipt");
    assert_eq!(receipt["success"], true);
    assert_eq!(receipt["network"], NETWORK);
    assert_eq!(receipt["payer"], accounts::text(PAYER));
    assert_eq!(
        receipt["transaction"].as_str().map(str::len),
        Some(66),
        "{receipt}"
    );
    books.moved(world, PRICE, 1).await;

    let second = buyer.pay("/weather/oslo", &header).await;
    assert_eq!(
        essence(&second),
        essence(&first),
        "the same payment gets the same answer"
    );
    assert_eq!(seller.desk.runs("weather"), 1);
    books.moved(world, PRICE, 1).await;
    assert_eq!(buyer.get("/free").await.status, 200);
    seller.paywall.shutdown().await;
}

#[tokio::test]
async fn a_paid_call_moves_exactly_the_price_once_in_the_sandbox() {
    let world = World::sandbox();
    a_paid_call(&world, Setup::on(&world)).await;
}

#[tokio::test]
async fn a_paid_call_moves_exactly_the_price_once_on_anvil_with_sqlite() {
    let world = World::anvil().await;
    let folder = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(folder.path().join("ledger.sqlite")).unwrap();
    a_paid_call(
        &world,
        Setup {
            ledger: Arc::new(ledger),
            ..Setup::on(&world)
        },
    )
    .await;
}

/// Presents one payment 256 times at once, in turn to each path, and returns the answers.
async fn present_at_once(seller: &Seller, paths: &[&str], header: &str) -> Vec<(String, Answer)> {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..256 {
        let (buyer, header) = (seller.buyer(), header.to_owned());
        let path = paths[number % paths.len()].to_owned();
        tasks.spawn(async move {
            let answer = buyer.pay(&path, &header).await;
            (path, answer)
        });
    }
    tasks.join_all().await
}

async fn parallel_copies(world: &World, setup: Setup, paths: &[&str]) {
    let books = world.books().await;
    let seller = Seller::start(setup).await;
    let buyer = seller.buyer();
    let header = buyer.payment(PAYER, paths[0], world.now()).await.header();
    let answers = present_at_once(&seller, paths, &header).await;

    let runs = seller.desk.runs("weather") + seller.desk.runs("news");
    assert_eq!(runs, 1, "one authorization runs one handler");
    books.moved(world, PRICE, 1).await;
    let served: Vec<&(String, Answer)> = answers.iter().filter(|(_, a)| a.status == 200).collect();
    assert!(
        !served.is_empty(),
        "somebody is served: {:?}",
        answers.first()
    );
    assert!(
        served
            .iter()
            .all(|(path, a)| *path == served[0].0 && essence(a) == essence(&served[0].1))
    );
    for (path, answer) in answers.iter().filter(|(_, a)| a.status != 200) {
        assert_eq!(answer.status, 409, "{path}: {answer:?}");
        assert!(
            answer.required().is_none(),
            "a copy must not be asked to pay again"
        );
    }
    // Afterwards the route that was paid answers, and the other never does.
    for path in paths {
        let expected = if *path == served[0].0 { 200 } else { 409 };
        assert_eq!(buyer.pay(path, &header).await.status, expected, "{path}");
    }
    books.moved(world, PRICE, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_parallel_replay_runs_handler_once() {
    let world = World::sandbox();
    parallel_copies(&world, Setup::on(&world), &["/weather/oslo"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_parallel_replay_runs_handler_once_on_anvil_with_sqlite() {
    let world = World::anvil().await;
    let folder = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(folder.path().join("ledger.sqlite")).unwrap();
    parallel_copies(
        &world,
        Setup {
            ledger: Arc::new(ledger),
            ..Setup::on(&world)
        },
        &["/weather/oslo"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g03_equal_terms_do_not_make_routes_interchangeable() {
    let world = World::sandbox();
    parallel_copies(&world, Setup::on(&world), &["/weather/oslo", "/news/oslo"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g03_equal_terms_do_not_make_cities_interchangeable() {
    let world = World::sandbox();
    parallel_copies(
        &world,
        Setup::on(&world),
        &["/weather/oslo", "/weather/rome"],
    )
    .await;
}

#[tokio::test]
async fn g03_a_cheap_payment_does_not_buy_the_dear_route() {
    let world = World::sandbox();
    let books = world.books().await;
    let seller = Seller::start(Setup::on(&world)).await;
    let buyer = seller.buyer();
    let header = buyer
        .payment(PAYER, "/weather/oslo", world.now())
        .await
        .header();
    let refused = buyer.pay("/report", &header).await;
    assert_eq!(refused.status, 402);
    assert_eq!(
        refused.required().unwrap()["accepts"][0]["amount"],
        "50000",
        "the dear route's own terms"
    );
    assert_eq!(seller.desk.runs("report"), 0);
    books.moved(&world, 0, 0).await;
    assert_eq!(
        buyer.pay("/weather/oslo", &header).await.status,
        200,
        "the payment is still good where it belongs"
    );
    books.moved(&world, PRICE, 1).await;
}

#[tokio::test]
async fn different_payments_are_different_calls() {
    let world = World::sandbox();
    let books = world.books().await;
    let seller = Seller::start(Setup::on(&world)).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (buyer, now) = (seller.buyer(), world.now());
        tasks.spawn(async move {
            let header = buyer.payment(PAYER, "/weather/oslo", now).await.header();
            buyer.pay("/weather/oslo", &header).await.status
        });
    }
    assert!(tasks.join_all().await.iter().all(|status| *status == 200));
    assert_eq!(seller.desk.runs("weather"), 16);
    books.moved(&world, 16 * PRICE, 16).await;
}

#[tokio::test]
async fn every_spelling_of_one_authorization_is_one_payment() {
    let world = World::sandbox();
    let books = world.books().await;
    let seller = Seller::start(Setup::on(&world)).await;
    let buyer = seller.buyer();
    let payment = buyer.payment(PAYER, "/weather/oslo", world.now()).await;
    let payload = payment.payload();
    let first = buyer.pay("/weather/oslo", &payment.header()).await;
    assert_eq!(first.status, 200, "{first:?}");
    let upper = |text: &str| format!("0x{}", text.trim_start_matches("0x").to_ascii_uppercase());
    let lower = str::to_ascii_lowercase;
    for (field, spell) in [
        ("nonce", &upper as &dyn Fn(&str) -> String),
        ("from", &lower),
        ("to", &lower),
    ] {
        let mut other = payload.clone();
        let value = &mut other["payload"]["authorization"][field];
        *value = spell(value.as_str().unwrap()).into();
        let answer = buyer
            .pay("/weather/oslo", &x402_tests::buyer::encode(&other))
            .await;
        assert!(
            answer.status == 200 || answer.status == 402,
            "{field}: {answer:?}"
        );
        if answer.status == 200 {
            assert_eq!(essence(&answer), essence(&first), "{field}");
        }
    }
    assert_eq!(seller.desk.runs("weather"), 1);
    books.moved(&world, PRICE, 1).await;
}
