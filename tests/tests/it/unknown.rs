//! Settlements whose outcome is unknown: the chain decides, and nobody is asked to pay twice.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use x402_runtime::facilitator::FacilitatorError;
use x402_tests::accounts::PAYER;
use x402_tests::buyer::Payment;
use x402_tests::doubles::{Double, OnSettle, OnVerify};
use x402_tests::seller::{PRICE, Seller, Setup};
use x402_tests::world::World;

use crate::failures::settled_answer;

const PATH: &str = "/weather/oslo";

/// A seller on a sandbox whose facilitator can be told to fail.
async fn shaky_seller() -> (World, Arc<Double>, Seller) {
    let world = World::sandbox();
    let double = Double::new(world.facilitator());
    let facilitator: Arc<Double> = Arc::clone(&double);
    let seller = Seller::start(Setup {
        facilitator,
        ..Setup::on(&world)
    })
    .await;
    (world, double, seller)
}

/// Presents a payment whose settlement must stay open: never served, never asked to pay again.
async fn open_outcome(seller: &Seller, header: &str) {
    let answer = seller.buyer().pay(PATH, header).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "settlement_pending"),
        "{answer:?}"
    );
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    assert!(
        answer.required().is_none(),
        "a fresh 402 would make the buyer pay twice"
    );
    assert!(
        !String::from_utf8_lossy(&answer.body).contains("celsius"),
        "the goods stay withheld"
    );
}

#[tokio::test]
async fn s01_a_lost_settle_answer_is_found_on_the_chain() {
    let (world, double, seller) = shaky_seller().await;
    let books = world.books().await;
    double.set_blind(true);
    double.on_settle([
        OnSettle::LoseAnswer,
        OnSettle::LoseRequest,
        OnSettle::LoseRequest,
    ]);
    let header = seller
        .buyer()
        .payment(PAYER, PATH, world.now())
        .await
        .header();
    open_outcome(&seller, &header).await;
    open_outcome(&seller, &header).await;
    books.moved(&world, PRICE, 1).await;
    double.set_blind(false);
    let answer = settled_answer(&seller.buyer(), PATH, &header).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.receipt().unwrap()["success"], true);
    assert_eq!(seller.desk.runs("weather"), 1);
    books.moved(&world, PRICE, 1).await;
}

#[tokio::test]
async fn s01_a_lost_settle_request_is_sent_again_with_the_same_authorization() {
    let (world, double, seller) = shaky_seller().await;
    let books = world.books().await;
    double.on_settle([OnSettle::LoseRequest]);
    let header = seller
        .buyer()
        .payment(PAYER, PATH, world.now())
        .await
        .header();
    let answer = settled_answer(&seller.buyer(), PATH, &header).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(seller.desk.runs("weather"), 1);
    assert!(double.settles() >= 2);
    books.moved(&world, PRICE, 1).await;
}

#[tokio::test]
async fn s02_a_cancelled_nonce_is_not_paid() {
    let (world, double, seller) = shaky_seller().await;
    let books = world.books().await;
    double.set_blind(true);
    double.on_settle([OnSettle::LoseRequest]);
    let payment = seller.buyer().payment(PAYER, PATH, world.now()).await;
    open_outcome(&seller, &payment.header()).await;
    world.cancel(PAYER, payment.nonce).await;
    double.set_blind(false);
    let answer = settled_answer(&seller.buyer(), PATH, &payment.header()).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (402, "payment_cancelled"),
        "{answer:?}"
    );
    assert!(!String::from_utf8_lossy(&answer.body).contains("celsius"));
    books.moved(&world, 0, 0).await;
}

#[tokio::test]
async fn s03_a_late_transfer_is_not_recorded_as_failed() {
    let (world, double, seller) = shaky_seller().await;
    let books = world.books().await;
    double.on_settle(vec![OnSettle::LoseRequest; 50]);
    let payment = seller.buyer().payment(PAYER, PATH, world.now()).await;
    for _ in 0..3 {
        open_outcome(&seller, &payment.header()).await;
    }
    world.broadcast(&payment).await;
    let answer = settled_answer(&seller.buyer(), PATH, &payment.header()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    books.moved(&world, PRICE, 0).await;
}

#[tokio::test]
async fn an_authorization_that_expired_unused_was_not_charged() {
    let (world, double, seller) = shaky_seller().await;
    let books = world.books().await;
    double.on_settle(vec![OnSettle::LoseRequest; 50]);
    let payment = seller.buyer().payment(PAYER, PATH, world.now()).await;
    open_outcome(&seller, &payment.header()).await;
    world.as_sandbox().advance_seconds(1_000);
    world.as_sandbox().mine_blocks(64);
    let answer = settled_answer(&seller.buyer(), PATH, &payment.header()).await;
    assert_eq!(answer.status, 402, "{answer:?}");
    books.moved(&world, 0, 0).await;
    let fresh = seller
        .buyer()
        .payment(PAYER, PATH, world.now())
        .await
        .header();
    double.on_settle([]);
    assert_eq!(
        seller.buyer().pay(PATH, &fresh).await.status,
        200,
        "a new payment is welcome"
    );
    books.moved(&world, PRICE, 1).await;
}

#[tokio::test]
async fn a_refused_settlement_withholds_the_goods_and_costs_nothing() {
    let (world, double, seller) = shaky_seller().await;
    let books = world.books().await;
    let refusal = x402_model::wire::SettleResponse {
        success: false,
        error_reason: Some("invalid_exact_evm_transaction_failed".into()),
        network: x402_tests::token::NETWORK.into(),
        ..Default::default()
    };
    double.on_settle([OnSettle::Refuse(Box::new(refusal))]);
    let header = seller
        .buyer()
        .payment(PAYER, PATH, world.now())
        .await
        .header();
    let answer = seller.buyer().pay(PATH, &header).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (402, "settlement_refused"),
        "{answer:?}"
    );
    let receipt = answer
        .receipt()
        .expect("the buyer learns that the settlement failed");
    assert_eq!(receipt["success"], false);
    assert!(!String::from_utf8_lossy(&answer.body).contains("celsius"));
    books.moved(&world, 0, 0).await;
    let answer = seller.buyer().pay(PATH, &header).await;
    assert_eq!(
        answer.status, 200,
        "presented again, the same payment settles: {answer:?}"
    );
    assert_eq!(
        seller.desk.runs("weather"),
        1,
        "with the answer that was kept"
    );
    books.moved(&world, PRICE, 1).await;
}

#[tokio::test]
async fn an_unreachable_facilitator_closes_the_shop() {
    let (world, double, seller) = shaky_seller().await;
    let books = world.books().await;
    let errors = [
        FacilitatorError::Timeout,
        FacilitatorError::Unreachable("secret-host refused".into()),
        FacilitatorError::BadAnswer("<html>secret-host</html>".into()),
    ];
    for error in errors {
        double.on_verify([OnVerify::Fail(error)]);
        let header = seller
            .buyer()
            .payment(PAYER, PATH, world.now())
            .await
            .header();
        let answer = seller.buyer().pay(PATH, &header).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (503, "facilitator_unavailable"),
            "{answer:?}"
        );
        assert!(
            !format!("{answer:?}").contains("secret-host"),
            "upstream texts stay in the log"
        );
    }
    assert_eq!(seller.desk.runs("weather"), 0);
    books.moved(&world, 0, 0).await;
}

/// The handler is at work when `deed` happens on the chain; then it finishes and its answer would be settled.
async fn meanwhile<F: Future<Output = ()>>(
    world: &World,
    deed: impl FnOnce(Payment) -> F,
) -> (Seller, x402_tests::buyer::Answer) {
    let seller = Seller::start(Setup::on(world)).await;
    let buyer = seller.buyer();
    let path = "/behave?do=wait";
    let payment = buyer.payment(PAYER, path, world.now()).await;
    let header = payment.header();
    let call = tokio::spawn({
        let header = header.clone();
        async move { buyer.pay(path, &header).await }
    });
    seller.desk.until("wait", 1).await;
    deed(payment).await;
    seller.desk.open(1);
    let first = call.await.unwrap();
    let answer = if first.status == 503 {
        settled_answer(&seller.buyer(), path, &header).await
    } else {
        first
    };
    assert_eq!(seller.desk.runs("wait"), 1);
    (seller, answer)
}

async fn cancelled_meanwhile(world: &World) {
    let books = world.books().await;
    let (_seller, answer) = meanwhile(world, |payment| async move {
        world.cancel(PAYER, payment.nonce).await
    })
    .await;
    assert_eq!(answer.status, 402, "{answer:?}");
    assert!(
        !String::from_utf8_lossy(&answer.body).contains("did"),
        "the goods stay withheld"
    );
    books.tokens_moved(world, 0).await;
}

#[tokio::test]
async fn g02_cancelling_between_verify_and_settle_gains_nothing() {
    cancelled_meanwhile(&World::sandbox()).await;
}

#[tokio::test]
async fn g02_cancelling_between_verify_and_settle_gains_nothing_on_anvil() {
    cancelled_meanwhile(&World::anvil().await).await;
}

#[tokio::test]
async fn g02_emptying_the_wallet_between_verify_and_settle_gains_nothing() {
    let world = World::anvil().await;
    let thief = alloy_primitives::Address::repeat_byte(0x77);
    let (_seller, answer) = meanwhile(&world, |_| async {
        world.as_anvil().empty(PAYER, thief).await
    })
    .await;
    assert_eq!(answer.status, 402, "{answer:?}");
    assert!(
        !String::from_utf8_lossy(&answer.body).contains("did"),
        "the goods stay withheld"
    );
}

async fn front_run(world: &World) {
    let books = world.books().await;
    let (_seller, answer) = meanwhile(
        world,
        |payment| async move { world.broadcast(&payment).await },
    )
    .await;
    assert_eq!(
        answer.status, 200,
        "the money arrived, whoever sent it: {answer:?}"
    );
    assert_eq!(answer.receipt().unwrap()["success"], true);
    books.tokens_moved(world, PRICE).await;
}

#[tokio::test]
async fn f06_a_payment_that_somebody_else_broadcast_is_paid() {
    front_run(&World::sandbox()).await;
}

#[tokio::test]
async fn f06_a_payment_that_somebody_else_broadcast_is_paid_on_anvil() {
    front_run(&World::anvil().await).await;
}

async fn reorganised(world: &World) {
    let books = world.books().await;
    let seller = Seller::start(Setup::on(world)).await;
    let header = seller
        .buyer()
        .payment(PAYER, PATH, world.now())
        .await
        .header();
    let first = seller.buyer().pay(PATH, &header).await;
    assert_eq!(first.status, 200, "{first:?}");
    world.reorg().await;
    books.tokens_moved(world, 0).await;
    // A settled payment is looked at every few seconds, and sent again after a pause.
    for _ in 0..400 {
        seller.paywall.recover().await;
        if world.balance(x402_tests::accounts::address(PAYER)).await == books.payer() - PRICE {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    books.tokens_moved(world, PRICE).await;
    let again = settled_answer(&seller.buyer(), PATH, &header).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(seller.desk.runs("weather"), 1);
}

#[tokio::test]
async fn s06_a_payment_lost_in_a_reorg_is_settled_again_with_the_same_authorization() {
    reorganised(&World::sandbox()).await;
}

#[tokio::test]
async fn s06_a_payment_lost_in_a_reorg_is_settled_again_on_anvil() {
    reorganised(&World::anvil().await).await;
}

/// Not one byte of the answer leaves while the settlement is on its way, nor if it then fails.
#[tokio::test]
async fn t01_nothing_leaves_before_the_money_moved() {
    let (world, double, seller) = shaky_seller().await;
    let books = world.books().await;
    let wait = Duration::from_millis(600);
    double.on_settle([OnSettle::Late(wait)]);
    let header = seller
        .buyer()
        .payment(PAYER, PATH, world.now())
        .await
        .header();
    let mut stream = tokio::net::TcpStream::connect(seller.address())
        .await
        .unwrap();
    let request = format!(
        "GET {PATH} HTTP/1.1\r\nHost: seller\r\nPAYMENT-SIGNATURE: {header}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    seller.desk.until("weather", 1).await;
    let mut answer = Vec::new();
    let early = tokio::time::timeout(wait / 2, stream.read_buf(&mut answer)).await;
    assert!(
        early.is_err(),
        "{} bytes came before the settlement",
        answer.len()
    );
    books.moved(&world, 0, 0).await;
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(String::from_utf8_lossy(&answer).contains("celsius"));
    books.moved(&world, PRICE, 1).await;
}
